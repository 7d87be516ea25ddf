//! Whose a sold lead is: who bought it, and who sold it.

use super::sale;
use crate::exchange::{ActError, Exchange};
use crate::ids::LeadId;

impl Exchange {
    /// Returns whether a buyer bought a copy of a lead.
    ///
    /// # Errors
    ///
    /// [`ActError::Closed`] if the journal cannot be read.
    pub async fn bought(&self, lead: LeadId, buyer: &str) -> Result<bool, ActError> {
        let facts = self.history(lead.ping()).await.map_err(|_| ActError::Closed)?;
        Ok(facts.iter().filter_map(|(_, _, fact)| sale(fact)).any(|sale| sale.buyer == buyer))
    }

    /// Returns whether a copy of a source's lead was sold.
    ///
    /// # Errors
    ///
    /// [`ActError::Closed`] if the journal cannot be read.
    pub async fn sold_by(&self, lead: LeadId, source: &str) -> Result<bool, ActError> {
        let facts = self.history(lead.ping()).await.map_err(|_| ActError::Closed)?;
        Ok(facts.iter().filter_map(|(_, _, fact)| sale(fact)).any(|sale| sale.source == source))
    }
}
