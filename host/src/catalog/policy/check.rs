//! What a policy must keep, whatever the leads are like: its parts fit together, and what it names is there.

use std::collections::{BTreeMap, BTreeSet};

use super::spec::{PolicySpec, PriceName, RankName, TierSpec};
use crate::catalog::faults::{Fault, Faults};
use crate::catalog::spec::{Amount, Register, VerticalSpec};
use crate::ids::{BuyerId, CampaignId, PolicyId, VerticalId};

/// Checks one policy by itself and against what is saved beside it.
pub(crate) fn check(id: &PolicyId, spec: &PolicySpec, register: &Register) -> Result<(), Fault> {
    let what = format!("policy {id}");
    let fault = |pointer: &str, message: String| Err(Fault::new(&what, pointer, message));
    if spec.verticals.is_empty() || spec.verticals.len() > PolicySpec::VERTICALS_MAX {
        let most = PolicySpec::VERTICALS_MAX;
        return fault("/verticals", format!("name 1 to {most} verticals whose leads it sells"));
    }
    for (index, vertical) in spec.verticals.iter().enumerate() {
        if !register.verticals.contains_key(vertical) {
            let message = format!("there is no vertical `{vertical}`; save it first");
            return fault(&format!("/verticals/{index}"), message);
        }
    }
    if spec.copies.is_some_and(|copies| !(1..=VerticalSpec::COPIES_MAX).contains(&copies)) {
        return fault("/copies", format!("must be 1 to {}", VerticalSpec::COPIES_MAX));
    }
    if !(1..=PolicySpec::DISCLOSURES_MAX).contains(&spec.disclosures_max) {
        let message = format!(
            "must be 1 to {}: 1 shows the person to the winner only, each more to one more buyer after a refusal",
            PolicySpec::DISCLOSURES_MAX
        );
        return fault("/disclosures_max", message);
    }
    for (pointer, amount) in [("/reserve", spec.reserve), ("/increment", spec.increment)] {
        if amount.is_some_and(|amount| amount.0.is_negative()) {
            return fault(pointer, "must not be negative".to_owned());
        }
    }
    match spec.rule.price() {
        Some(price) => plain(&what, spec, price)?,
        None => tree(&what, spec)?,
    }
    known(&what, spec, register)
}

/// Checks a policy without tiers.
fn plain(what: &str, spec: &PolicySpec, price: PriceName) -> Result<(), Fault> {
    let fault = |pointer: &str, message: &str| Err(Fault::new(&what, pointer, message));
    if !spec.tiers.is_empty() {
        return fault("/tiers", "belong to the rule `tiers`; name that as `rule`");
    }
    if spec.unlisted.is_some() {
        return fault("/unlisted", "belongs to the rule `tiers`; here everyone may bid");
    }
    if spec.rank == RankName::Weighted {
        return fault("/rank", "lots are drawn within a tier: use the rule `tiers` with one tier");
    }
    priced(what, "", price, spec.price, spec.rank)?;
    if spec.reject_penalty && spec.rank != RankName::Bid {
        return fault(
            "/reject_penalty",
            "an order does not look at bids, so there is nothing to rank by less",
        );
    }
    match (spec.rank, spec.order.is_empty()) {
        (RankName::Order, true) => fault("/order", "list the campaigns in the order they come in"),
        (RankName::Order, false) | (_, true) => Ok(()),
        (_, false) => fault("/order", "is used only where `rank` is `order`"),
    }
}

/// Checks a policy with tiers.
fn tree(what: &str, spec: &PolicySpec) -> Result<(), Fault> {
    let fault = |pointer: &str, message: String| Err(Fault::new(&what, pointer, message));
    if spec.tiers.is_empty() || spec.tiers.len() > PolicySpec::TIERS_MAX {
        return fault("/tiers", format!("must be 1 to {}", PolicySpec::TIERS_MAX));
    }
    for (pointer, given) in [
        ("/price", spec.price.is_some()),
        ("/rank", spec.rank != RankName::Bid),
        ("/order", !spec.order.is_empty()),
    ] {
        if given {
            return fault(pointer, "is each tier's own: move it into `tiers`".to_owned());
        }
    }
    if spec.unlisted.is_none() {
        let message = "say what becomes of campaigns that no tier lists: \"last\" or \"excluded\"";
        return fault("/unlisted", message.to_owned());
    }
    for (index, tier) in spec.tiers.iter().enumerate() {
        let at = format!("/tiers/{index}");
        if tier.campaigns.is_empty() && tier.buyers.is_empty() {
            return fault(&at, "lists nobody: name `campaigns` or `buyers`".to_owned());
        }
        if tier.reserve.is_some_and(|reserve| reserve.0.is_negative()) {
            return fault(&format!("{at}/reserve"), "must not be negative".to_owned());
        }
        priced(what, &at, tier.rule, tier.price, tier.rank)?;
        weighed(what, &at, tier)?;
    }
    Ok(())
}

/// Checks that a price is there where it is used, and nowhere else.
fn priced(
    what: &str,
    at: &str,
    rule: PriceName,
    price: Option<Amount>,
    rank: RankName,
) -> Result<(), Fault> {
    let fault =
        |pointer: &str, message: &str| Err(Fault::new(&what, &format!("{at}/{pointer}"), message));
    match (rule, price) {
        (PriceName::Fixed, None) => return fault("price", "name the price that winners pay"),
        (PriceName::Fixed, Some(price)) if !price.0.is_positive() => {
            return fault("price", "must be above zero");
        }
        (PriceName::Fixed, Some(_)) | (_, None) => (),
        (_, Some(_)) => return fault("price", "is used only where `rule` is `fixed`"),
    }
    if rule == PriceName::SecondPrice && rank != RankName::Bid {
        let message = "an order or a draw does not look at bids, so no bid sets a second price: use `first-price` or `fixed`";
        return fault("rule", message);
    }
    Ok(())
}

fn weighed(what: &str, at: &str, tier: &TierSpec) -> Result<(), Fault> {
    let pointer = format!("{at}/weights");
    if tier.rank != RankName::Weighted && !tier.weights.is_empty() {
        let message = "are used only where `rank` is `weighted`";
        return Err(Fault::new(&what, &pointer, message));
    }
    for (name, weight) in &tier.weights {
        let at = format!("{pointer}/{name}");
        let listed = tier.campaigns.iter().any(|campaign| campaign.as_str() == name)
            || tier.buyers.iter().any(|buyer| buyer.as_str() == name);
        if !listed {
            return Err(Fault::new(&what, &at, format!("the tier does not list `{name}`")));
        }
        if !(1..=PolicySpec::WEIGHT_MAX).contains(weight) {
            let message = format!("must be 1 to {}", PolicySpec::WEIGHT_MAX);
            return Err(Fault::new(&what, &at, message));
        }
    }
    Ok(())
}

/// Checks that every campaign and buyer is there and is listed once.
fn known(what: &str, spec: &PolicySpec, register: &Register) -> Result<(), Fault> {
    let mut campaigns: Vec<(String, &CampaignId)> = Vec::new();
    let mut buyers: Vec<(String, &BuyerId)> = Vec::new();
    for (index, campaign) in spec.order.iter().enumerate() {
        campaigns.push((format!("/order/{index}"), campaign));
    }
    for (tier, listed) in spec.tiers.iter().enumerate() {
        let at = |kind: &str, index: usize| format!("/tiers/{tier}/{kind}/{index}");
        let own = listed.campaigns.iter().enumerate();
        campaigns.extend(own.map(|(index, campaign)| (at("campaigns", index), campaign)));
        let own = listed.buyers.iter().enumerate();
        buyers.extend(own.map(|(index, buyer)| (at("buyers", index), buyer)));
    }
    if campaigns.len().saturating_add(buyers.len()) > PolicySpec::LISTED_MAX {
        let message = format!("the policy lists more than {}", PolicySpec::LISTED_MAX);
        return Err(Fault::new(&what, "", message));
    }
    let mut seen = BTreeSet::new();
    for (at, campaign) in campaigns {
        let saved = register.campaigns.get(campaign);
        let message = match saved {
            None => format!("there is no campaign `{campaign}`; save it first"),
            Some(saved) if !spec.verticals.contains(&saved.vertical) => format!(
                "campaign `{campaign}` buys `{}`, which is none of the policy's verticals",
                saved.vertical
            ),
            Some(_) if !seen.insert(campaign) => format!("campaign `{campaign}` is listed twice"),
            Some(_) => continue,
        };
        return Err(Fault::new(&what, &at, message));
    }
    let mut seen = BTreeSet::new();
    for (at, buyer) in buyers {
        let message = if !register.buyers.contains_key(buyer) {
            format!("there is no buyer `{buyer}`; save it first")
        } else if !seen.insert(buyer) {
            format!("buyer `{buyer}` is listed twice")
        } else {
            continue;
        };
        return Err(Fault::new(&what, &at, message));
    }
    Ok(())
}

/// Checks that the order of every vertical's policies is clear, and that there are not too many.
pub(crate) fn orders(register: &Register, faults: &mut Faults) {
    let policies = &register.policies;
    if policies.len() > PolicySpec::POLICIES_MAX {
        let message = format!("there are {} policies already", PolicySpec::POLICIES_MAX);
        let newest = policies.keys().next_back().map_or("", PolicyId::as_str);
        faults.0.push(Fault::new(&format!("policy {newest}"), "", message));
    }
    let mut taken: BTreeMap<(&VerticalId, u32), &PolicyId> = BTreeMap::new();
    for (id, spec) in policies.iter().filter(|(_, spec)| spec.active) {
        let own: BTreeSet<&VerticalId> = spec.verticals.iter().collect();
        for vertical in own {
            if let Some(other) = taken.insert((vertical, spec.priority), id) {
                let message = format!(
                    "policy `{other}` of `{vertical}` has priority {} as well; the lower number is tried first, so give each its own",
                    spec.priority
                );
                faults.0.push(Fault::new(&format!("policy {id}"), "/priority", message));
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn register() -> Register {
        let mut register = Register::default();
        for name in ["auto", "home"] {
            let spec = serde_json::from_value(json!({"module": "m"})).unwrap();
            register.verticals.insert(VerticalId::parse(name).unwrap(), spec);
        }
        for name in ["acme", "best"] {
            let spec = serde_json::from_value(json!({"delivery": {"url": "x"}})).unwrap();
            register.buyers.insert(BuyerId::parse(name).unwrap(), spec);
        }
        for (name, vertical) in [("a1", "auto"), ("a2", "auto"), ("h1", "home")] {
            let spec = json!({"buyer": "acme", "vertical": vertical, "price": "1"});
            let spec = serde_json::from_value(spec).unwrap();
            register.campaigns.insert(CampaignId::parse(name).unwrap(), spec);
        }
        register
    }

    /// Checks a policy of `auto` with priority 1 that has these members, and compares the fault.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "it is called with a literal")]
    fn check(members: Value, expected: &str) {
        let mut spec = json!({"verticals": ["auto"], "priority": 1});
        for (name, value) in members.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let spec: PolicySpec = serde_json::from_value(spec).unwrap();
        let found = super::check(&PolicyId::parse("p").unwrap(), &spec, &register());
        let found = found.err().map(|fault| format!("{} {}", fault.pointer, fault.message));
        assert_eq!(found.unwrap_or_default(), expected);
    }

    #[test]
    fn what_fits_together_is_taken() {
        check(json!({}), "");
        check(json!({"rule": "first-price", "reserve": "1", "copies": 32}), "");
        check(json!({"rule": "fixed", "price": "9"}), "");
        check(json!({"rule": "fixed", "price": "9", "rank": "order", "order": ["a2", "a1"]}), "");
        let weighted = json!({"campaigns": ["a1"], "buyers": ["best"], "rank": "weighted", "rule": "first-price", "weights": {"a1": 3, "best": 1_000_000}});
        check(
            json!({"rule": "tiers", "unlisted": "last", "tiers": [weighted, {"campaigns": ["a2"]}]}),
            "",
        );
    }

    #[test]
    fn what_names_nothing_that_is_there_is_refused() {
        check(json!({"verticals": []}), "/verticals name 1 to 64 verticals whose leads it sells");
        let many = vec!["auto"; PolicySpec::VERTICALS_MAX + 1];
        check(json!({"verticals": many}), "/verticals name 1 to 64 verticals whose leads it sells");
        check(
            json!({"verticals": ["auto", "boat"]}),
            "/verticals/1 there is no vertical `boat`; save it first",
        );
        let ordered =
            |order: Value| json!({"rule": "fixed", "price": "9", "rank": "order", "order": order});
        check(ordered(json!(["a1", "a9"])), "/order/1 there is no campaign `a9`; save it first");
        check(
            ordered(json!(["h1"])),
            "/order/0 campaign `h1` buys `home`, which is none of the policy's verticals",
        );
        check(ordered(json!(["a1", "a1"])), "/order/1 campaign `a1` is listed twice");
        let tiers = |tiers: Value| json!({"rule": "tiers", "unlisted": "excluded", "tiers": tiers});
        check(
            tiers(json!([{"buyers": ["none"]}])),
            "/tiers/0/buyers/0 there is no buyer `none`; save it first",
        );
        check(
            tiers(json!([{"buyers": ["best"]}, {"buyers": ["best"]}])),
            "/tiers/1/buyers/0 buyer `best` is listed twice",
        );
        let many = vec!["a1"; PolicySpec::LISTED_MAX + 1];
        check(ordered(json!(many)), " the policy lists more than 10000");
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        check(json!({"copies": 0}), "/copies must be 1 to 32");
        check(json!({"copies": 33}), "/copies must be 1 to 32");
        let disclosures = "/disclosures_max must be 1 to 32: 1 shows the person to the winner only, each more to one more buyer after a refusal";
        check(json!({"disclosures_max": 0}), disclosures);
        check(json!({"disclosures_max": 33}), disclosures);
        check(json!({"reserve": "-1"}), "/reserve must not be negative");
        check(json!({"increment": "-0.01"}), "/increment must not be negative");
        check(json!({"rule": "fixed"}), "/price name the price that winners pay");
        check(json!({"rule": "fixed", "price": "0"}), "/price must be above zero");
        check(json!({"rule": "fixed", "price": "-2"}), "/price must be above zero");
        check(json!({"price": "9"}), "/price is used only where `rule` is `fixed`");
        check(
            json!({"rank": "weighted"}),
            "/rank lots are drawn within a tier: use the rule `tiers` with one tier",
        );
        check(
            json!({"rank": "order", "order": ["a1"]}),
            "/rule an order or a draw does not look at bids, so no bid sets a second price: use `first-price` or `fixed`",
        );
        check(
            json!({"rule": "fixed", "price": "9", "rank": "order", "order": ["a1"], "reject_penalty": true}),
            "/reject_penalty an order does not look at bids, so there is nothing to rank by less",
        );
        check(
            json!({"rule": "fixed", "price": "9", "rank": "order"}),
            "/order list the campaigns in the order they come in",
        );
        check(json!({"order": ["a1"]}), "/order is used only where `rank` is `order`");
        check(
            json!({"tiers": [{"buyers": ["best"]}]}),
            "/tiers belong to the rule `tiers`; name that as `rule`",
        );
        check(
            json!({"unlisted": "last"}),
            "/unlisted belongs to the rule `tiers`; here everyone may bid",
        );
        check(json!({"rule": "tiers", "unlisted": "last"}), "/tiers must be 1 to 16");
    }

    #[test]
    fn tiers_that_do_not_fit_together_are_refused() {
        let tiers = |tiers: Value| json!({"rule": "tiers", "unlisted": "excluded", "tiers": tiers});
        check(
            tiers(json!(vec![json!({"buyers": ["best"]}); PolicySpec::TIERS_MAX + 1])),
            "/tiers must be 1 to 16",
        );
        check(tiers(json!([{}])), "/tiers/0 lists nobody: name `campaigns` or `buyers`");
        check(
            json!({"rule": "tiers", "tiers": [{"buyers": ["best"]}]}),
            "/unlisted say what becomes of campaigns that no tier lists: \"last\" or \"excluded\"",
        );
        check(
            json!({"rule": "tiers", "price": "1", "unlisted": "last", "tiers": [{"buyers": ["best"]}]}),
            "/price is each tier's own: move it into `tiers`",
        );
        check(
            tiers(json!([{"buyers": ["best"], "rank": "weighted"}])),
            "/tiers/0/rule an order or a draw does not look at bids, so no bid sets a second price: use `first-price` or `fixed`",
        );
        check(
            tiers(json!([{"buyers": ["best"], "weights": {"best": 1}}])),
            "/tiers/0/weights are used only where `rank` is `weighted`",
        );
        let weighted = |weights: Value| {
            tiers(
                json!([{"buyers": ["best"], "rank": "weighted", "rule": "first-price", "weights": weights}]),
            )
        };
        check(weighted(json!({"acme": 1})), "/tiers/0/weights/acme the tier does not list `acme`");
        check(weighted(json!({"best": 0})), "/tiers/0/weights/best must be 1 to 1000000");
        check(weighted(json!({"best": 1_000_001})), "/tiers/0/weights/best must be 1 to 1000000");
        check(
            tiers(json!([{"buyers": ["best"], "reserve": "-1"}])),
            "/tiers/0/reserve must not be negative",
        );
    }

    #[test]
    fn two_policies_of_a_vertical_have_two_priorities() {
        let mut register = register();
        let spec = |priority: u32, verticals: Value| {
            serde_json::from_value(json!({"verticals": verticals, "priority": priority})).unwrap()
        };
        let found = |register: &Register| {
            let mut faults = Faults::default();
            orders(register, &mut faults);
            faults.0.first().map_or(String::new(), |fault| fault.message.clone())
        };
        for (id, priority, verticals) in [
            ("p", 1, json!(["auto"])),
            ("q", 1, json!(["home"])),
            ("r", 2, json!(["auto", "home"])),
        ] {
            register.policies.insert(PolicyId::parse(id).unwrap(), spec(priority, verticals));
        }
        assert_eq!(found(&register), "");
        register.policies.insert(PolicyId::parse("s").unwrap(), spec(2, json!(["home"])));
        assert_eq!(
            found(&register),
            "policy `r` of `home` has priority 2 as well; the lower number is tried first, so give each its own"
        );
        for number in 0..PolicySpec::POLICIES_MAX {
            let id = PolicyId::parse(&format!("z{number}")).unwrap();
            register
                .policies
                .insert(id, spec(1_000 + u32::try_from(number).unwrap(), json!(["auto"])));
        }
        assert_eq!(found(&register), "there are 1000 policies already");
    }
}
