//! For a buyer: which leads it wants, and at what price.

pub use lead_frame::Value;
use lead_frame::{FieldId, Frame, Texts};
use serde::de::DeserializeOwned;
/// Settings that are not looked at: any JSON will do.
pub use serde::de::IgnoredAny as AnySettings;

use crate::bindings::filter::exports::gavel::rules::filtering as wit;
use crate::settings;

/// A buyer's rule, configured with the settings of one campaign.
pub trait Filter: Sized {
    /// What a campaign's settings are, as serde reads them from JSON: `#[derive(Deserialize)]` does it all. A filter that has none takes [`AnySettings`].
    type Settings: DeserializeOwned;

    /// What a campaign's settings look like, for the person who fills them in: an example says most.
    const SETTINGS: &'static str;

    /// Prepares the rule for one campaign. Runs once, when the campaign or the module changes, so anything that makes
    /// [`Filter::evaluate`] quick belongs here: sort, index, convert.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings and what would be right, in words for the person who filled them in.
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Judges one lead. Every call starts from what [`Filter::configure`] left.
    fn evaluate(&self, lead: &Lead<'_>) -> Verdict;
}

/// A lead, read in place. A filter, and an adapter that asks for a bid, see the ping's fields, without contact data; an
/// adapter that hands a lead over sees all of them.
#[derive(Clone, Copy, Debug)]
pub struct Lead<'f>(Frame<'f>);

impl<'f> Lead<'f> {
    /// Returns the value of a field by its name, of whatever kind: for adapters, whose fields may be named in settings.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Value<'f>> {
        self.0.get(FieldId::of(name))
    }

    /// Takes an open frame; a test of a filter writes one with [`lead_frame::Writer`].
    #[must_use]
    pub const fn new(frame: Frame<'f>) -> Self {
        Self(frame)
    }

    /// Returns a field's value, or `None` if the source left it out.
    #[must_use]
    pub fn get<K: Kind>(&self, field: Field<K>) -> Option<K::Value<'f>> {
        K::read(self.0.get(field.id)?)
    }
}

/// A field that a filter reads, with the type of its values. [`fields!`](crate::fields) makes these.
#[derive(Clone, Copy, Debug)]
pub struct Field<K> {
    name: &'static str,
    id: FieldId,
    kind: core::marker::PhantomData<K>,
}

impl<K: Kind> Field<K> {
    /// Takes a name in the vertical's schema. The id is computed when the module is compiled.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, id: FieldId::of(name), kind: core::marker::PhantomData }
    }

    /// Returns what the exchange is told about it.
    #[must_use]
    pub const fn need(self) -> Need {
        Need { name: self.name, kind: K::KIND }
    }
}

/// A field that a filter reads, as its description names it.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    name: &'static str,
    kind: wit::Kind,
}

impl Need {
    pub(crate) const fn parts(&self) -> (&'static str, wit::Kind) {
        (self.name, self.kind)
    }
}

/// The kinds that a field can be of, as types.
pub trait Kind: sealed::Sealed + Copy {
    /// What a filter gets.
    type Value<'f>;

    #[doc(hidden)]
    const KIND: wit::Kind;

    #[doc(hidden)]
    fn read(value: Value<'_>) -> Option<Self::Value<'_>>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($variant:ident) -> $value:ty;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl sealed::Sealed for $name {}

        impl Kind for $name {
            type Value<'f> = $value;
            const KIND: wit::Kind = wit::Kind::$variant;

            fn read(value: Value<'_>) -> Option<Self::Value<'_>> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    )+};
}

kinds! {
    /// UTF-8 text.
    TextKind(Text) -> &'f str;
    /// A whole number.
    IntegerKind(Integer) -> i64;
    /// An exact decimal, in millionths: 12.5 is 12,500,000.
    DecimalKind(Decimal) -> i64;
    /// Yes or no.
    BooleanKind(Boolean) -> bool;
    /// Days since 1970-01-01.
    DateKind(Date) -> i32;
    /// Several texts.
    TextsKind(Texts) -> Texts<'f>;
}

/// One campaign's answer to one lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict(Answer);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    No(&'static str),
    Yes(Option<i64>),
}

impl Verdict {
    /// Not wanted. The reason is a code that the buyer reads in the receipt, such as `age-outside-band`: lower-case
    /// letters, digits and `-`, at most 64 bytes.
    #[must_use]
    pub const fn no(reason: &'static str) -> Self {
        Self(Answer::No(reason))
    }

    /// Wanted, at this price in millionths of the currency.
    #[must_use]
    pub const fn bid(micros: i64) -> Self {
        Self(Answer::Yes(Some(micros)))
    }

    /// Wanted, at the price that the campaign declares.
    #[must_use]
    pub const fn at_campaign_price() -> Self {
        Self(Answer::Yes(None))
    }
}

/// Names the fields that a filter reads: typed constants for [`Lead::get`], and `NEEDS`, the list of them that
/// [`export_filter!`](crate::export_filter) picks up.
///
/// The kinds are the words of the schema: `text`, `integer`, `decimal`, `boolean`, `date`, `texts`.
///
/// With `pub` before each name there is no `NEEDS`: such constants are a vertical's, as `gavel schema VERTICAL --rust`
/// writes them, and [`needs!`](crate::needs) says which of them the filter reads.
#[macro_export]
macro_rules! fields {
    ($($(#[$doc:meta])* pub $name:ident: $kind:ident = $text:literal);+ $(;)?) => {
        $($(#[$doc])* pub const $name: $crate::filter::Field<$crate::fields!(@$kind)> = $crate::filter::Field::new($text);)+
    };
    ($($(#[$doc:meta])* $name:ident: $kind:ident = $text:literal);+ $(;)?) => {
        $($(#[$doc])* const $name: $crate::filter::Field<$crate::fields!(@$kind)> = $crate::filter::Field::new($text);)+
        /// Every field that the filter reads.
        const NEEDS: &[$crate::filter::Need] = &[$($name.need()),+];
    };
    (@text) => { $crate::filter::TextKind };
    (@integer) => { $crate::filter::IntegerKind };
    (@decimal) => { $crate::filter::DecimalKind };
    (@boolean) => { $crate::filter::BooleanKind };
    (@date) => { $crate::filter::DateKind };
    (@texts) => { $crate::filter::TextsKind };
}

/// Takes from a module of a vertical's fields those that the filter reads, and makes `NEEDS` of them, which
/// [`export_filter!`](crate::export_filter) picks up: `guest_sdk::needs! { auto_insurance::{AGE, CREDIT_BAND} }`.
#[macro_export]
macro_rules! needs {
    ($module:ident::{$($name:ident),+ $(,)?}) => {
        use $module::{$($name),+};
        /// Every field that the filter reads.
        const NEEDS: &[$crate::filter::Need] = &[$($name.need()),+];
    };
}

/// What a filter needs that names no fields: a `NEEDS` of its own crate goes before this one.
#[doc(hidden)]
pub mod no_fields {
    pub const NEEDS: &[super::Need] = &[];
}

/// Makes a [`Filter`] the module's one export. It stands once in a crate, in the module in which
/// [`fields!`](crate::fields) or [`needs!`](crate::needs) stands; a filter without either reads no field of the lead.
///
/// ```
/// use guest_sdk::filter::{AnySettings, Filter, Lead, Verdict};
///
/// struct Everything;
///
/// impl Filter for Everything {
///     type Settings = AnySettings;
///     const SETTINGS: &'static str = "null";
///
///     fn configure(_: AnySettings) -> Result<Self, String> {
///         Ok(Self)
///     }
///
///     fn evaluate(&self, _: &Lead<'_>) -> Verdict {
///         Verdict::at_campaign_price()
///     }
/// }
///
/// guest_sdk::export_filter!(Everything);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_filter {
    ($filter:ty) => {
        use $crate::filter::no_fields::*;

        const _: () = {
            use bindings::exports::gavel::rules::filtering as wit;
            use $crate::bindings_for_macro::filter as bindings;

            #[cfg_attr(target_arch = "wasm32", global_allocator)]
            static ARENA: $crate::arena::Arena<{ $crate::arena::FILTER_SCRATCH_BYTES }> =
                $crate::arena::Arena::configuring();

            static CAMPAIGNS: std::sync::OnceLock<Vec<$filter>> = std::sync::OnceLock::new();

            struct Exported;

            impl wit::Guest for Exported {
                fn describe() -> wit::Description {
                    $crate::filter::describe::<$filter>(NEEDS)
                }

                fn configure(settings: Vec<String>) -> Result<(), wit::SettingsError> {
                    let campaigns = $crate::filter::configure::<$filter>(settings)?;
                    CAMPAIGNS.get_or_init(|| campaigns);
                    ARENA.seal();
                    Ok(())
                }

                fn evaluate(frame: Vec<u64>, slots: Vec<u32>) -> Vec<wit::Verdict> {
                    let campaigns = CAMPAIGNS.get().map(Vec::as_slice).unwrap_or_default();
                    $crate::filter::evaluate(campaigns, &frame, &slots)
                }
            }

    bindings::export_filter_component!(Exported with_types_in bindings);
        };
    };
}

#[doc(hidden)]
pub fn describe<F: Filter>(needs: &[Need]) -> wit::Description {
    let needs = needs.iter().map(|need| wit::Need { name: need.name.to_owned(), kind: need.kind });
    wit::Description { needs: needs.collect(), settings: F::SETTINGS.to_owned() }
}

#[doc(hidden)]
pub fn configure<F: Filter>(settings: Vec<String>) -> Result<Vec<F>, wit::SettingsError> {
    let mut campaigns = Vec::with_capacity(settings.len());
    for (slot, text) in (0..).zip(settings) {
        let configured = settings::read(&text).and_then(F::configure);
        campaigns.push(configured.map_err(|message| wit::SettingsError { slot, message })?);
    }
    Ok(campaigns)
}

#[doc(hidden)]
#[expect(clippy::expect_used, reason = "a trap: the exchange broke its own contract")]
pub fn evaluate<F: Filter>(campaigns: &[F], frame: &[u64], slots: &[u32]) -> Vec<wit::Verdict> {
    let lead = Lead(Frame::open(frame).expect("the exchange sends whole frames"));
    let campaign = |slot: &u32| campaigns.get(*slot as usize).expect("every slot was configured");
    let verdicts = slots.iter().map(|slot| match campaign(slot).evaluate(&lead).0 {
        Answer::No(reason) => wit::Verdict::No(reason.to_owned()),
        Answer::Yes(price) => wit::Verdict::Yes(price),
    });
    verdicts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fields! {
        AGE: integer = "age";
        STATE: text = "state";
    }

    struct AtLeast(i64);

    impl Filter for AtLeast {
        type Settings = i64;
        const SETTINGS: &'static str = "18";

        fn configure(age: i64) -> Result<Self, String> {
            if age < 0 { Err("nobody is younger than 0".to_owned()) } else { Ok(Self(age)) }
        }

        fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
            match (lead.get(AGE), lead.get(STATE)) {
                (Some(age), Some("CA")) if age >= self.0 => Verdict::bid(2_000_000),
                (Some(age), _) if age >= self.0 => Verdict::at_campaign_price(),
                _ => Verdict::no("too-young"),
            }
        }
    }

    #[test]
    fn each_slot_is_judged_by_its_own_settings() {
        let campaigns = configure::<AtLeast>(vec!["18".to_owned(), "65".to_owned()]).unwrap();
        let mut frame = lead_frame::Writer::default();
        frame.integer(FieldId::of("age"), 40);
        frame.text(FieldId::of("state"), "CA");
        let verdicts = evaluate(&campaigns, &frame.finish(), &[1, 0, 1]);
        let shown = format!("{verdicts:?}");
        assert_eq!(
            shown,
            r#"[Verdict::No("too-young"), Verdict::Yes(Some(2000000)), Verdict::No("too-young")]"#
        );
    }

    #[test]
    fn a_value_of_another_kind_is_absent() {
        let mut frame = lead_frame::Writer::default();
        frame.text(FieldId::of("age"), "40");
        let words = frame.finish();
        assert_eq!(Lead::new(Frame::open(&words).unwrap()).get(AGE), None);
    }

    #[test]
    fn refused_settings_name_their_slot() {
        let refused = |settings: &str| {
            let settings = vec!["18".to_owned(), settings.to_owned()];
            let error = configure::<AtLeast>(settings).err().unwrap();
            format!("{} {}", error.slot, error.message)
        };
        assert_eq!(refused("-1"), "1 nobody is younger than 0");
        assert_eq!(refused("\"x\""), "1 expected a whole number, got text");
    }

    #[test]
    fn the_description_lists_the_fields() {
        let description = describe::<AtLeast>(NEEDS);
        let needs: Vec<_> = description.needs.iter().map(|need| need.name.as_str()).collect();
        assert_eq!(needs, ["age", "state"]);
        assert_eq!(description.settings, "18");
    }

    #[expect(unreachable_pub, reason = "a filter's crate has its vertical in a public module")]
    mod vertical {
        fields! {
            /// In whole years.
            pub AGE: integer = "age";
            pub SEEN_ON: date = "seen_on";
            pub ZIP: text = "zip";
        }
    }

    #[test]
    fn a_filter_needs_only_what_it_takes_of_a_verticals_fields() {
        needs! { vertical::{AGE, ZIP} }
        let needs: Vec<_> = NEEDS.iter().map(|need| need.name).collect();
        assert_eq!((needs, vertical::SEEN_ON.need().name), (vec!["age", "zip"], "seen_on"));
    }
}
