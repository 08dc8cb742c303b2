//! How large session policies and tags become, and the session token with them.
//!
//! undocumented: AWS says only that policies, ARNs and tags are packed into a binary form with a
//! limit of its own, told in percent (API_AssumeRole, PackedPolicySize), and, since September 2026,
//! that a session token has at most 4,096 bytes (reference_iam-quotas). The model here grows as
//! theirs must, and is not theirs: three bytes for four characters of the policy without its
//! blanks, a few bytes for each ARN of AWS's and the whole text of others, and both texts of a tag.

use super::principal::{RoleSession, SessionPolicies};

/// Bytes that packed policies and tags may have.
pub const PACKED_MAX: usize = 2048;
/// Bytes that a session token may have.
pub const TOKEN_MAX: usize = 4096;
const TOKEN_BASE: usize = 512;
const AWS_ARN: usize = 16;
const ENTRY: usize = 4;

/// Bytes of policies and tags in packed form.
pub(super) fn packed_bytes(policies: &SessionPolicies, tags: &[(String, String)]) -> usize {
    let inline = policies
        .inline
        .as_deref()
        .map_or(0, |text| without_blanks(text) * 3 / 4 + ENTRY);
    let arns = policies
        .arns
        .iter()
        .map(|arn| match arn.contains("::aws:policy/") {
            true => AWS_ARN,
            false => arn.len() + ENTRY,
        });
    inline + arns.sum::<usize>() + tags_bytes(tags)
}

fn tags_bytes(tags: &[(String, String)]) -> usize {
    tags.iter()
        .map(|(key, value)| key.len() + value.len() + ENTRY)
        .sum()
}

/// Characters outside of strings that are no blanks, and all those within.
fn without_blanks(text: &str) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for c in text.chars() {
        if quoted || !c.is_whitespace() {
            count += c.len_utf8();
        }
        match c {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    count
}

/// Part of the whole in percent, rounded up.
pub(super) fn percent(part: usize, whole: usize) -> usize {
    (part * 100).div_ceil(whole)
}

/// Bytes of the token that carries all this; `inherited` are the transitive tags of earlier hops,
/// which are in the token though they were not passed here.
pub(super) fn token_bytes(
    packed: usize,
    inherited: &[(String, String)],
    session: Option<&RoleSession>,
) -> usize {
    let named = session.map_or(0, |session| {
        let identity = session.source_identity.as_deref().map_or(0, str::len);
        session.role_arn.len() + session.name.len() + identity
    });
    TOKEN_BASE + (packed + named + tags_bytes(inherited)).div_ceil(3) * 4
}
