//! `gavel module inspect`.

use std::path::Path;

use serde_json::{Value, json};

use super::{admit, print, print_json, read};
use crate::cli::Failure;
use crate::lead::Schema;
use crate::sandbox::{Admitted, Need};
use crate::schemas;

pub(super) fn run(file: &Path, as_json: bool) -> Result<(), Failure> {
    let bytes = read(file)?.len();
    let admitted = admit(file)?;
    let digest = admitted.digest().to_string();
    let (world, about) = match &admitted {
        Admitted::Normalizer(normalizer) => ("normalizer", schemas::to_json(normalizer.schema())),
        Admitted::Filter(filter) => ("filter", json(filter.settings_help(), filter.needs())),
        Admitted::Adapter(adapter) => ("adapter", json(adapter.settings_help(), adapter.needs())),
    };
    if as_json {
        return print_json(
            &json!({ "world": world, "digest": digest, "bytes": bytes, world: about }),
        );
    }
    print(&format!("{world} of {bytes} bytes, {digest}"))?;
    match &admitted {
        Admitted::Normalizer(normalizer) => show_schema(normalizer.schema()),
        Admitted::Filter(filter) => show(filter.settings_help(), filter.needs()),
        Admitted::Adapter(adapter) => show(adapter.settings_help(), adapter.needs()),
    }
}

fn show_schema(schema: &Schema) -> Result<(), Failure> {
    let (major, minor) = schema.version();
    print(&format!("{} {major}.{minor}: {}", schema.vertical(), schema.description()))?;
    for field in schema.fields() {
        let marks = [
            (field.required_on_ping, "required on ping"),
            (field.required_on_post, "required on post"),
            (field.contact, "contact"),
            (field.binding, "binding"),
        ];
        let marks: Vec<_> = marks.iter().filter_map(|&(on, mark)| on.then_some(mark)).collect();
        let line = format!("  {:32} {:8} {}", field.name, field.kind.name(), marks.join(", "));
        print(line.trim_end())?;
    }
    Ok(())
}

fn show(settings: &str, needs: &[Need]) -> Result<(), Failure> {
    print(&format!("settings: {settings}"))?;
    if !needs.is_empty() {
        print("reads:")?;
    }
    for need in needs {
        print(&format!("  {:32} {}", need.name, need.kind.name()))?;
    }
    Ok(())
}

fn json(settings: &str, needs: &[Need]) -> Value {
    let needs = needs.iter().map(|need| json!({ "name": need.name, "kind": need.kind.name() }));
    json!({ "settings": settings, "needs": needs.collect::<Vec<_>>() })
}
