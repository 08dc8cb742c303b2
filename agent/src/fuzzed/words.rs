//! Names, tags, durations, instants and templates. Law: what is read prints as it stood, or as the same value; tags stay
//! unique whatever their case; a cleaned name is legal; a template prints as it stood, and a value put into it is never
//! read as a variable; a path segment survives its escaping.

use jumpgate_api::{Timestamp, from_path_segment, path_segment};
use jumpgate_iam::{
    ExternalId, MfaSessionDuration, RoleDuration, RoleSessionName, ScopedDuration, SessionTags,
    SourceIdentity, TagKey, TagValue, TransitiveTagKeys,
};

use super::{assert_plain, reads_as_it_stands, text};
use crate::domain::identity::{AccessKeyId, EndpointUrl};
use crate::domain::name::{IdentityName, LeaseId, ProfileName, SessionId};
use crate::domain::template::{Template, Values};
use crate::domain::totp::TotpSeed;

/// One word a line; all of them together are tags, as `key=value`.
pub(super) fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for line in text.split('\n').take(64) {
        names(line);
        times(line);
        template(line);
        let segment = path_segment(line);
        assert_eq!(from_path_segment(&segment).as_deref(), Some(line));
        let _any_segment = from_path_segment(line);
    }
    tags(text);
}

fn names(text: &str) {
    reads_as_it_stands::<ExternalId>(text);
    reads_as_it_stands::<TagKey>(text);
    reads_as_it_stands::<TagValue>(text);
    let identity = reads_as_it_stands::<SourceIdentity>(text);
    let name = reads_as_it_stands::<RoleSessionName>(text);
    assert!(identity.is_none() || name.is_some(), "{text}");
    match RoleSessionName::cleaned(text) {
        Ok(cleaned) => {
            assert_eq!(
                RoleSessionName::cleaned(cleaned.as_str()),
                Ok(cleaned.clone())
            );
            assert!(name.is_none_or(|name| name == cleaned));
        }
        Err(error) => assert_plain(&error.to_string()),
    }
    for read in [
        ProfileName::parse(text)
            .map(|name| name.to_string())
            .map_err(|e| e.to_string()),
        IdentityName::parse(text)
            .map(|name| name.to_string())
            .map_err(|e| e.to_string()),
        LeaseId::parse(text)
            .map(|name| name.to_string())
            .map_err(|e| e.to_string()),
        AccessKeyId::parse(text)
            .map(|id| id.as_str().to_owned())
            .map_err(|e| e.to_string()),
    ] {
        match read {
            Ok(printed) => assert_eq!(printed, text),
            Err(error) => assert_plain(&error),
        }
    }
    match EndpointUrl::parse(text) {
        // One slash at its end is overlooked.
        Ok(url) => {
            assert_eq!(url.as_str(), text.strip_suffix('/').unwrap_or(text));
            assert_eq!(EndpointUrl::parse(url.as_str()).unwrap(), url);
        }
        Err(error) => assert_plain(&error.to_string()),
    }
    match TotpSeed::parse(text) {
        // The code of any instant has six digits.
        Ok(seed) => assert_eq!(seed.code(1_800_000_000).expose().len(), 6),
        Err(error) => assert_plain(&error.to_string()),
    }
}

fn times(text: &str) {
    if let Ok(duration) = RoleDuration::parse(text) {
        assert_eq!(RoleDuration::parse(&duration.to_string()), Ok(duration));
        assert!(duration.capped_for_chaining().seconds() <= 3_600);
    }
    if let Ok(duration) = ScopedDuration::parse(text) {
        assert_eq!(ScopedDuration::parse(&duration.to_string()), Ok(duration));
    }
    if let Ok(duration) = MfaSessionDuration::parse(text) {
        assert_eq!(
            MfaSessionDuration::parse(&duration.to_string()),
            Ok(duration)
        );
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        assert_eq!(instant.with_millis().parse(), Ok(instant));
        assert_eq!(
            instant
                .to_string()
                .parse::<Timestamp>()
                .unwrap()
                .unix_seconds(),
            instant.unix_seconds()
        );
    }
}

fn template(text: &str) {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => return assert_plain(&error.to_string()),
    };
    assert_eq!(template.to_string(), text);
    // Values that look like variables stay what they are.
    let values = Values {
        user: "{session}",
        host: "{host}",
        profile: "{",
        account_id: "}",
        account: "{ticket}",
        ticket: Some("{user}"),
    };
    let pattern = template.render(&values).unwrap();
    let session = SessionId::parse("01KAN0000000000000000000AA").unwrap();
    let by_hand = text
        .replace("{user}", "\u{1}")
        .replace("{host}", "\u{2}")
        .replace("{profile}", "\u{3}")
        .replace("{account_id}", "\u{4}")
        .replace("{account}", "\u{5}")
        .replace("{ticket}", "\u{6}")
        .replace("{session}", session.as_str());
    let mut expected = String::new();
    for character in by_hand.chars() {
        match character {
            '\u{1}' => expected.push_str(values.user),
            '\u{2}' => expected.push_str(values.host),
            '\u{3}' => expected.push_str(values.profile),
            '\u{4}' => expected.push_str(values.account_id),
            '\u{5}' => expected.push_str(values.account),
            '\u{6}' => expected.push_str("{user}"),
            other => expected.push(other),
        }
    }
    if !text.contains(|c| ('\u{1}'..='\u{6}').contains(&c)) {
        assert_eq!(pattern.with_session(&session), expected);
    }
}

fn tags(text: &str) {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let pairs: Vec<(TagKey, TagValue)> = pairs
        .filter_map(|(key, value)| Some((TagKey::parse(key).ok()?, TagValue::parse(value).ok()?)))
        .collect();
    let keys: Vec<TagKey> = pairs.iter().map(|(key, _)| key.clone()).collect();
    let repeated = keys
        .iter()
        .enumerate()
        .any(|(at, key)| keys[..at].iter().any(|before| before.is_same_key(key)));
    let tags = match SessionTags::new(pairs) {
        Ok(tags) => tags,
        Err(error) => return assert_plain(&error.to_string()),
    };
    assert!(!repeated);
    assert!(tags.len() <= 50);
    let json = serde_json::to_string(&tags).unwrap();
    assert_eq!(serde_json::from_str::<SessionTags>(&json).unwrap(), tags);
    for key in &keys {
        assert!(tags.value_of(key).is_some());
    }
    let transitive = TransitiveTagKeys::new(keys, &tags).unwrap();
    assert_eq!(transitive.len(), tags.len());
}
