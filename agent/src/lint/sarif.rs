//! Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), which code hosts and editors show
//! beside the lines.

use jumpgate_iam::json::Position;
use jumpgate_iam::lint::{Finding, Rule};
use serde_json::{Value, json};

use super::{Judged, STANDARD_INPUT, findings};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(judged: &[Judged]) -> String {
    let results: Vec<Value> = findings(judged)
        .map(|(judged, finding)| result(&judged.name, finding))
        .collect();
    let notifications: Vec<Value> = judged.iter().filter_map(notification).collect();
    let whole = judged.iter().all(|judged| judged.outcome.is_ok());
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "jumpgate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Rule::ALL.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": whole,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    let text = serde_json::to_string_pretty(&document).expect("plain values become JSON");
    text + "\n"
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id(),
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": rule.why() },
        "help": { "text": rule.fix() },
        "defaultConfiguration": { "level": rule.severity().name() },
    })
}

fn result(file: &str, finding: &Finding) -> Value {
    let index = Rule::ALL.iter().position(|rule| *rule == finding.rule);
    let mut location = json!({ "physicalLocation": physical(file, finding.at) });
    if let Some(statement) = &finding.statement {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": statement.to_string() }]);
    }
    let mut result = json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": index,
        "level": finding.rule.severity().name(),
        "message": { "text": format!("{}. {}", finding.what, finding.fix()) },
        "locations": [location],
    });
    if let Some((at, what)) = finding.other {
        result["relatedLocations"] = json!([{
            "id": 1,
            "physicalLocation": physical(file, at),
            "message": { "text": what },
        }]);
    }
    result
}

fn physical(file: &str, at: Position) -> Value {
    json!({
        "artifactLocation": { "uri": uri(file) },
        "region": { "startLine": at.line, "startColumn": at.column },
    })
}

/// A file that was not judged whole.
fn notification(judged: &Judged) -> Option<Value> {
    let (level, text) = match &judged.outcome {
        Err(why) => ("error", format!("cannot be read: {why}")),
        Ok(linted) if linted.left_out > 0 => ("warning", format!("and {} more", linted.left_out)),
        Ok(_) => return None,
    };
    Some(json!({
        "level": level,
        "message": { "text": text },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&judged.name) } } }],
    }))
}

/// The path as a URI (RFC 3986): relative as it is, absolute as that of a file.
fn uri(path: &str) -> String {
    if path == STANDARD_INPUT {
        return "stdin".to_owned();
    }
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("policies/a b.json", "policies/a%20b.json"),
            ("/etc/é%.json", "file:///etc/%C3%A9%25.json"),
            ("a:b#c?.json", "a%3Ab%23c%3F.json"),
            ("-", "stdin"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
