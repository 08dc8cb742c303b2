//! What each client was recorded to send (tests/clients/sequences.json), and what it sends to us.

use jumpgate_tests::matrix::Client;
use serde_json::{Map, Value, json};

use super::relay::Head;
use super::row::Row;

/// Headers whose values are the same each time.
const SHOWN: [&str; 5] = [
    "x-aws-ec2-metadata-token-ttl-seconds",
    "accept",
    "accept-encoding",
    "content-length",
    "connection",
];

/// The recorded requests of a client, if there are any of this kind.
pub(super) fn recorded(client: Client, kind: &str) -> Option<Value> {
    let text = include_str!("../../clients/sequences.json");
    let mut all: Value = serde_json::from_str(text).unwrap();
    let found = all[client.word()][kind].take();
    (!found.is_null()).then_some(found)
}

/// The relay saw these requests, in this order, with these headers, and no others.
#[track_caller]
pub(super) fn assert_as_recorded(row: &Row, kind: &str) {
    let port = row.relay_port();
    let seen: Vec<Value> = row
        .requests()
        .iter()
        .map(|head| shown(head, &port))
        .collect();
    assert_eq!(
        Some(Value::Array(seen)),
        recorded(row.client, kind),
        "{kind}"
    );
}

/// A request in the form of the record: what differs from run to run is taken out.
fn shown(head: &Head, port: &str) -> Value {
    let role = head
        .target
        .strip_suffix("/Developer")
        .map(|path| format!("{path}/{{role}}"));
    let target = match head.target.starts_with("/v1/") {
        true => "{path}".to_owned(),
        false => role.unwrap_or_else(|| head.target.clone()),
    };
    let header = |(name, value): &(String, String)| {
        (name.clone(), Value::from(value_shown(name, value, port)))
    };
    let headers: Map<String, Value> = head.headers.iter().map(header).collect();
    json!({"method": head.method, "target": target, "headers": headers})
}

fn value_shown(name: &str, value: &str, port: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "host" => value
            .replace(&format!("127.0.0.1:{port}"), "{host}:{port}")
            .replace("127.0.0.1", "{host}"),
        "user-agent" => {
            let name = value
                .split(|c: char| !c.is_alphanumeric() && !"._-".contains(c))
                .next();
            format!("{}/…", name.unwrap_or_default())
        }
        name if SHOWN.contains(&name) => value.to_owned(),
        _ => "…".to_owned(),
    }
}
