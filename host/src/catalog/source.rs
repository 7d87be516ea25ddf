//! A source, made of what an operator says of it, and what it asks for.

use super::fees::FeesSpec;
use super::spec::SourceSpec;
use super::{Fault, Source};
use crate::ids::SourceId;
use crate::money::Micros;

impl Source {
    /// Makes a source of what an operator says of it.
    pub(super) fn of(id: &SourceId, spec: &SourceSpec) -> Result<Self, Fault> {
        if spec.pings_per_second == 0 {
            let message = "must be at least 1; to stop a source, set `active` to false";
            return Err(Fault::new(&format!("source {id}"), "/pings_per_second", message));
        }
        FeesSpec::check_source(spec, &format!("source {id}"))?;
        Ok(Self {
            id: id.clone(),
            verticals: spec.verticals.clone(),
            margin: spec.margin_percent.0,
            margin_rounding: spec.margin_rounding,
            fee: spec.fees.into(),
            pings_per_second: spec.pings_per_second,
            active: spec.active,
        })
    }

    /// Returns the price at which, and above which, the source is left what it asks for.
    pub fn asks(&self, net: Micros) -> Micros {
        self.margin.gross_up(self.fee.gross_up(net), self.margin_rounding)
    }
}
