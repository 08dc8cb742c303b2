//! Configuration. Law: any text is answered; every mistake is at a place that the text has, in the text's order, and in plain
//! words; what is accepted is accepted again, as the same settings and with the same doubts.

use std::io;
use std::path::Path;

use super::{assert_plain, text};
use crate::config::report::MAX_REPORTS;
use crate::config::{self, Report};

const PLACE: &str = "/etc/jumpgate/config.toml";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;

/// A configuration's text. The policy `policies/read.json` is there, `policies/bad.json` is none, the others are missing.
pub(super) fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let read = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
        Some("read.json") => Ok(POLICY.to_owned()),
        Some("bad.json") => Ok("{".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let parse = || config::parse(text, PLACE.as_ref(), &read);
    match parse() {
        Ok(config) => {
            check(text, &config.warnings);
            assert_eq!(parse().unwrap(), config);
        }
        Err(errors) => {
            assert!(!errors.reports().is_empty());
            assert!(errors.reports().len() <= 1 + MAX_REPORTS);
            check(text, errors.reports());
            assert_plain(&errors.to_string());
        }
    }
}

fn check(text: &str, reports: &[Report]) {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut last = None;
    for report in reports {
        assert_plain(&report.to_string());
        let in_it = report.path == Path::new(PLACE);
        let Some(position) = report.position.filter(|_| in_it) else {
            continue;
        };
        assert!(last <= Some(position), "{report} is out of order");
        last = Some(position);
        let length = lines
            .get(position.line - 1)
            .map(|line| line.chars().count());
        let is_place = length.is_some_and(|length| position.column <= length + 1);
        assert!(is_place, "{report}");
    }
}
