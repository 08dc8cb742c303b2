//! Session tags and the keys among them that travel through role chaining.
//!
//! Source: STS API reference, `Tag`, `Tags`, `TransitiveTagKeys`; IAM user guide, "Pass session tags
//! in AWS STS". Lengths are counted in Unicode characters.

mod characters;
mod session_tags;
mod transitive;

pub use session_tags::SessionTags;
pub use transitive::TransitiveTagKeys;

use characters::{TAG_CHARACTERS, is_tag_character};

use crate::excerpt::Excerpt;
use crate::string_form::string_form;
use crate::text_rule::{TextFault, TextRule};

/// Most tags of one request, and most transitive keys.
pub const MAX_TAGS: usize = 50;

/// Why some text is no tag, or some tags do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TagError {
    /// A key breaks the length or character rule.
    #[error("tag key {text} is not legal: {fault}")]
    Key {
        /// The beginning of the key.
        text: Excerpt,
        /// The rule it breaks.
        fault: TextFault,
    },
    /// A key begins with `aws:` in any spelling.
    #[error("tag key {text} begins with \"aws:\", which AWS keeps for itself")]
    ReservedKey {
        /// The beginning of the key.
        text: Excerpt,
    },
    /// A value breaks the length or character rule.
    #[error("tag value {text} is not legal: {fault}")]
    Value {
        /// The beginning of the value.
        text: Excerpt,
        /// The rule it breaks.
        fault: TextFault,
    },
    /// Too many tags.
    #[error("at most {MAX_TAGS} tags are expected, there are {found}")]
    TooManyTags {
        /// How many.
        found: usize,
    },
    /// Two keys are the same, or differ in case only.
    #[error(
        "tag key {second} (tag {second_number}) repeats {first} (tag {first_number}); \
             keys must differ in more than case"
    )]
    RepeatedKey {
        /// The key that came first.
        first: TagKey,
        /// Its place in the list, from 1.
        first_number: usize,
        /// The key that repeats it.
        second: TagKey,
        /// Its place in the list, from 1.
        second_number: usize,
    },
    /// Too many transitive keys.
    #[error("at most {MAX_TAGS} transitive tag keys are expected, there are {found}")]
    TooManyTransitiveKeys {
        /// How many.
        found: usize,
    },
    /// A transitive key is named twice.
    #[error("transitive tag key {key} is named twice")]
    RepeatedTransitiveKey {
        /// The key.
        key: TagKey,
    },
    /// A transitive key is not among the tags of the request.
    #[error("transitive tag key {key} is not among the session tags")]
    UnknownTransitiveKey {
        /// The key.
        key: TagKey,
    },
    /// A transitive key is spelled otherwise than the tag.
    #[error("transitive tag key {key} is spelled {tag} in the session tags; write both alike")]
    TransitiveSpelling {
        /// The key as named among the transitive ones.
        key: TagKey,
        /// The key as named among the tags.
        tag: TagKey,
    },
}

const KEY_RULE: TextRule = TextRule {
    min: 1,
    max: 128,
    legal: is_tag_character,
    allowed: TAG_CHARACTERS,
};

const VALUE_RULE: TextRule = TextRule {
    min: 0,
    max: 256,
    legal: is_tag_character,
    allowed: TAG_CHARACTERS,
};

/// The key of a session tag: 1 to 128 of `[\p{L}\p{Z}\p{N}_.:/=+\-@]`, not beginning with `aws:` in
/// any spelling. Two keys that differ in case are different values here ([`SessionTags`] refuses to
/// hold both).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TagKey(String);

impl TagKey {
    /// Most characters.
    pub const MAX_CHARACTERS: usize = KEY_RULE.max;

    /// Reads a tag key.
    ///
    /// # Errors
    /// When STS would refuse it.
    pub fn parse(text: &str) -> Result<Self, TagError> {
        KEY_RULE.check(text).map_err(|fault| TagError::Key {
            text: Excerpt::of(text),
            fault,
        })?;
        if text
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("aws:"))
        {
            return Err(TagError::ReservedKey {
                text: Excerpt::of(text),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The key as STS gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether STS takes the two for one key: equal ignoring case.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }

    /// The key without case. Upper-casing first joins letters that have two lower-case forms (σ, ς).
    fn folded(&self) -> String {
        self.0.to_uppercase().to_lowercase()
    }
}

string_form!(TagKey, TagError);

/// The value of a session tag: up to 256 of `[\p{L}\p{Z}\p{N}_.:/=+\-@]`; may be empty.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TagValue(String);

impl TagValue {
    /// Most characters.
    pub const MAX_CHARACTERS: usize = VALUE_RULE.max;

    /// Reads a tag value.
    ///
    /// # Errors
    /// When STS would refuse it.
    pub fn parse(text: &str) -> Result<Self, TagError> {
        match VALUE_RULE.check(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(fault) => Err(TagError::Value {
                text: Excerpt::of(text),
                fault,
            }),
        }
    }

    /// The value as STS gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

string_form!(TagValue, TagError);

#[cfg(test)]
mod tests;
