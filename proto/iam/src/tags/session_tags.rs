//! The tags of one session.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MAX_TAGS, TagError, TagKey, TagValue};

/// The `Tags` of a request: at most [`MAX_TAGS`] pairs in the order given, no two keys equal
/// ignoring case. Equality goes by content in order. As JSON it is one object, key to value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionTags(Vec<(TagKey, TagValue)>);

impl SessionTags {
    /// Tags in the order given.
    ///
    /// # Errors
    /// When there are too many, or two keys are equal ignoring case.
    pub fn new(tags: Vec<(TagKey, TagValue)>) -> Result<Self, TagError> {
        if tags.len() > MAX_TAGS {
            return Err(TagError::TooManyTags { found: tags.len() });
        }
        let mut seen = HashMap::with_capacity(tags.len());
        for (index, (key, _)) in tags.iter().enumerate() {
            if let Some(earlier) = seen.insert(key.folded(), index) {
                return Err(TagError::RepeatedKey {
                    first: tags[earlier].0.clone(),
                    first_number: earlier + 1,
                    second: key.clone(),
                    second_number: index + 1,
                });
            }
        }
        Ok(Self(tags))
    }

    /// These tags and one more at the end.
    ///
    /// # Errors
    /// When that is one too many, or its key is there already (ignoring case).
    pub fn with(mut self, key: TagKey, value: TagValue) -> Result<Self, TagError> {
        self.0.push((key, value));
        Self::new(self.0)
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TagKey, &TagValue)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// How many tags there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `key`, ignoring the key's case.
    #[must_use]
    pub fn value_of(&self, key: &TagKey) -> Option<&TagValue> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key as it is spelled here, and its value.
    pub(super) fn entry(&self, key: &TagKey) -> Option<&(TagKey, TagValue)> {
        self.0.iter().find(|(known, _)| known.is_same_key(key))
    }
}

impl Serialize for SessionTags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for SessionTags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TagsVisitor)
    }
}

struct TagsVisitor;

impl<'de> Visitor<'de> for TagsVisitor {
    type Value = SessionTags;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an object of at most {MAX_TAGS} session tags, key to value"
        )
    }

    /// Entry by entry, so that an exact duplicate is refused too and no more is read than is legal.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut tags = Vec::new();
        while let Some(tag) = map.next_entry()? {
            tags.push(tag);
            if tags.len() > MAX_TAGS {
                break;
            }
        }
        SessionTags::new(tags).map_err(A::Error::custom)
    }
}
