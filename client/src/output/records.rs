//! Journal records as lines for people. Only what a reader wants to see is decoded; the journal itself is
//! the authority, and `--json` and `journal export` show it as it is.

use serde::Deserialize;

use super::escape;

/// The fields of a record that are shown; all may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    time_dt: String,
    activity_name: String,
    status: String,
    status_detail: Option<String>,
    count: Option<u64>,
    actor: Actor,
    unmapped: Unmapped,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Actor {
    process: Process,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Process {
    pid: Option<u32>,
    file: Option<ProcessFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProcessFile {
    path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Unmapped {
    jumpgate: Ours,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ours {
    profile: Option<String>,
    ticket: Option<String>,
    reason: Option<String>,
}

/// One line: time, activity, status, profile, who asked, and what else there is to say.
pub(crate) fn record(line: &[u8]) -> String {
    match serde_json::from_slice::<Record>(line) {
        Ok(record) => record.text(),
        Err(_) => "(a line that is no record; see: jumpgate journal verify)\n".to_owned(),
    }
}

impl Record {
    fn text(&self) -> String {
        let ours = &self.unmapped.jumpgate;
        let mut parts = vec![
            self.time_dt.clone(),
            format!("{:15}", self.activity_name),
            format!("{:7}", self.status),
        ];
        parts.extend(ours.profile.clone());
        parts.extend(self.actor.process.text());
        parts.extend(
            self.count
                .filter(|&count| count > 1)
                .map(|count| format!("{count} times")),
        );
        parts.extend(
            ours.ticket
                .as_ref()
                .map(|ticket| format!("ticket={ticket}")),
        );
        parts.extend(
            ours.reason
                .as_ref()
                .map(|reason| format!("reason={reason:?}")),
        );
        parts.extend(self.status_detail.clone());
        let line = escape(&parts.join("  "));
        format!("{}\n", line.trim_end())
    }
}

impl Process {
    fn text(&self) -> Option<String> {
        let pid = self.pid?;
        let path = self.file.as_ref().map_or("", |file| file.path.as_str());
        Some(format!("{pid} {path}").trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line() {
        let lease = r#"{"time_dt":"2026-11-22T00:00:00.123Z","activity_name":"lease.issue","status":"Success",
            "actor":{"process":{"pid":4711,"file":{"path":"/usr/bin/terraform"},"user":{"uid":"1000"}}},
            "unmapped":{"jumpgate":{"profile":"dev","ticket":"OPS-1","reason":"look\n\"there\""}},"more":[1]}"#;
        assert_eq!(
            record(lease.as_bytes()),
            "2026-11-22T00:00:00.123Z  lease.issue      Success  dev  4711 /usr/bin/terraform  ticket=OPS-1  \
             reason=\"look\\n\\\"there\\\"\"\n"
        );
        let deny = r#"{"time_dt":"2026-11-22T00:00:00.123Z","activity_name":"deny","status":"Failure","count":100,
            "status_detail":"AccessDenied\u001b[2J","actor":{"process":{"pid":1}}}"#;
        assert_eq!(
            record(deny.as_bytes()),
            "2026-11-22T00:00:00.123Z  deny             Failure  1  100 times  AccessDenied\\u{1b}[2J\n"
        );
        let start = r#"{"time_dt":"2026-11-22T00:00:00.123Z","activity_name":"agent.start","status":"Success"}"#;
        assert_eq!(
            record(start.as_bytes()),
            "2026-11-22T00:00:00.123Z  agent.start      Success\n"
        );
    }

    #[test]
    fn what_is_no_record_is_said_and_not_shown() {
        for line in ["", "{", "[1]", "\u{1b}[2J", r#"{"time_dt":5}"#] {
            assert!(
                record(line.as_bytes()).starts_with("(a line that is no record"),
                "{line}"
            );
        }
    }
}
