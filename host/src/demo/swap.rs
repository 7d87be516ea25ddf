//! A filter is replaced while pings are under way, for all to see.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::market::SWAPPED;
use super::opening::{ModuleVersion, OpeningError, activate, upload};
use super::tally::Watch;
use super::traffic::Traffic;

/// Leads that are sent at once around the swap, so that there is traffic to swap under.
const BURST_LEADS: u32 = 40;
/// How long the leads that met the swap may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A swap that was made.
#[derive(Clone, Debug)]
pub(super) struct Swap {
    pub(super) from: ModuleVersion,
    pub(super) to: ModuleVersion,
    /// An offer that was sent after this met the new version.
    pub(super) done: Instant,
    pub(super) watch: Watch,
}

impl Swap {
    /// Tells the swap in a line.
    pub(super) fn in_words(&self) -> String {
        format!(
            "filter {SWAPPED} v{} → v{} while {} pings were in flight, {} lost",
            self.from.version, self.to.version, self.watch.all, self.watch.lost,
        )
    }
}

/// Uploads a second version of the filter, sends a burst, activates the version in the middle of it, and waits until
/// every offer that met the swap has ended.
pub(super) async fn swap(
    traffic: &Arc<Traffic>,
    from: ModuleVersion,
    component: &[u8],
) -> Result<Swap, OpeningError> {
    let to = upload(&traffic.api, SWAPPED, second_version(component)).await?;
    traffic.tally.open_watch();
    (0..BURST_LEADS).for_each(|_| traffic.launch());
    let activated = activate(&traffic.api, SWAPPED, to.version).await;
    let done = Instant::now();
    traffic.tally.close_watch();
    activated?;
    let mut watch = traffic.tally.watch();
    while watch.open > 0 && done.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
        watch = traffic.tally.watch();
    }
    // What has not ended by now is as good as lost.
    watch.lost += watch.open;
    let swap = Swap { from, to, done, watch };
    traffic.tally.event(swap.in_words());
    Ok(swap)
}

/// The same component with a note in a custom section: other bytes, so another digest and another version.
fn second_version(component: &[u8]) -> Bytes {
    const CUSTOM_SECTION: u8 = 0;
    const NAME: &[u8] = b"demo";
    const NOTE: &[u8] = b"version 2";
    let mut bytes = component.to_vec();
    // Both lengths are below 128, so each is a single byte of LEB128.
    let [name_bytes, section_bytes] = [NAME.len(), NAME.len() + NOTE.len() + 1]
        .map(|length| u8::try_from(length).unwrap_or(0x7f));
    bytes.extend([CUSTOM_SECTION, section_bytes, name_bytes]);
    bytes.extend_from_slice(NAME);
    bytes.extend_from_slice(NOTE);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_version_is_valid_and_differs_only_in_a_note() {
        const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
        let second = second_version(EMPTY_COMPONENT);
        assert!(second.starts_with(EMPTY_COMPONENT));
        let notes: Vec<_> = wasmparser::Parser::new(0)
            .parse_all(&second)
            .filter_map(|payload| match payload.unwrap() {
                wasmparser::Payload::CustomSection(section) => {
                    Some((section.name(), section.data()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(notes, [("demo", b"version 2".as_slice())]);
    }
}
