//! Narrowing. Law: what an ask's policy makes of a profile's never allows what one of the two does not; it says the same as
//! both together wherever both can be told; reading the same policies again gives the same text.

use jumpgate_iam::PolicyDocument;
use jumpgate_iam::narrow::complement;

use super::requests::{decisions, spoken_of};
use super::{assert_plain, text};

/// The profile's policy, a line `---`, the ask's.
pub(super) fn target(data: &[u8]) {
    let Some((profile, ask)) = text(data).and_then(|text| text.split_once("\n---\n")) else {
        return;
    };
    let (Ok(profile), Ok(ask)) = (PolicyDocument::parse(profile), PolicyDocument::parse(ask))
    else {
        return;
    };
    let narrowed = match complement(Some(&profile), &ask) {
        Ok(narrowed) => narrowed,
        Err(error) => return assert_plain(&error.to_string()),
    };
    // The profile has a policy, so there is one afterwards.
    let narrowed = narrowed.unwrap();
    assert_eq!(PolicyDocument::parse(narrowed.as_str()).unwrap(), narrowed);
    let requests = spoken_of(&[&profile, &ask]);
    let told = [&profile, &ask, &narrowed].map(|policy| decisions(policy, &requests));
    let [Some(before), Some(asked), Some(after)] = told else {
        return;
    };
    for (at, request) in requests.iter().enumerate() {
        let (before, asked, after) = (before[at], asked[at], after[at]);
        if after == Some(true) {
            assert_ne!(before, Some(false), "{request:?}: {narrowed}");
            assert_ne!(asked, Some(false), "{request:?}: {narrowed}");
        }
        if let (Some(before), Some(asked), Some(after)) = (before, asked, after) {
            assert_eq!(after, before && asked, "{request:?}: {narrowed}");
        }
    }
}
