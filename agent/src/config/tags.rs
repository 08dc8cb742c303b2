//! `tags` and `transitive_tags` of a profile.

use jumpgate_iam::{Excerpt, TagKey};

use super::faults::{Fault, Faults, Written};
use super::section::Entry;
use super::templates::Templates;
use super::terms::twice;
use crate::domain::template::Template;

type RawTag<'a> = Written<(&'a str, Written<&'a str>)>;

/// The session tags in the order of the file, no two keys equal but for case.
pub(super) fn tags(
    faults: &Faults,
    raw: &[RawTag<'_>],
    templates: &Templates<'_>,
) -> Vec<(TagKey, Template)> {
    let mut tags: Vec<(TagKey, Template)> = Vec::new();
    for entry in raw {
        let (key, value) = &entry.value;
        let template = templates.tag_value(value);
        let Some(key) = faults.checked(&entry.place, TagKey::parse(key)) else {
            continue;
        };
        if let Some((earlier, _)) = tags.iter().find(|(known, _)| known.is_same_key(&key)) {
            let message = format!(
                "tag key {} repeats {}, since AWS ignores case",
                Excerpt::of(key.as_str()),
                Excerpt::of(earlier.as_str())
            );
            let fault = Fault::wrong(&entry.place, message);
            faults.error(fault.expected("keys that differ in more than case"));
        }
        tags.extend(template.map(|template| (key, template)));
    }
    tags
}

/// The keys of `tags` that travel through role chaining.
pub(super) fn transitive(
    faults: &Faults,
    entry: &Entry<Vec<Written<&str>>>,
    tags: &[RawTag<'_>],
) -> Vec<TagKey> {
    let list = entry.here().map(|list| list.value.as_slice());
    let mut keys: Vec<TagKey> = Vec::new();
    for written in list.unwrap_or_default() {
        let Some(key) = faults.checked(&written.place, TagKey::parse(written.value)) else {
            continue;
        };
        let names = || tags.iter().map(|tag| tag.value.0);
        if !names().any(|name| name == written.value) {
            let message = format!("{} is no key of tags", Excerpt::of(written.value));
            let nearest = faults.nearest(written.value, names());
            let fault = Fault::absent(&written.place, message).meant(nearest);
            faults.error(fault.expected("a key of tags, spelled alike"));
        } else if keys.contains(&key) {
            faults.error(twice(written));
        }
        keys.push(key);
    }
    keys
}
