//! What one version of a normalizer makes of a submission, as comparisons take it.

use crate::catalog::Served;
use crate::comparison::{Field, Read};
use crate::ingest::Submission;
use crate::normalize;
use crate::sandbox::{Forfeit, Normalizer};

/// Returns what a version makes of a submission, and what that cost; nothing if the sandbox had no room for the call.
/// Why a lead is refused is told by its code and field: the words may quote what the source sent.
pub(in crate::exchange) fn read(
    served: &Served<Normalizer>,
    submission: &Submission,
) -> Option<(Read, Result<u64, String>)> {
    let reading = match normalize::read_with(served, submission) {
        Ok(reading) => reading,
        Err(normalize::Fault { forfeit: Forfeit::NoRoom, .. }) => return None,
        Err(normalize::Fault { forfeit, .. }) => {
            return Some((Read::Failed, Err(forfeit.to_string())));
        }
    };
    let made = match &reading.lead {
        Ok(lead) => Read::Lead(
            lead.values()
                .map(|(field, value)| {
                    let shown = Field { value: value.to_json(), contact: field.contact };
                    (field.name.clone(), shown)
                })
                .collect(),
        ),
        Err(refusal) => {
            let field = refusal.field.as_deref().unwrap_or_default();
            Read::Refused(format!("{} {field}", refusal.code.code()).trim_end().to_owned())
        }
    };
    Some((made, Ok(reading.fuel)))
}
