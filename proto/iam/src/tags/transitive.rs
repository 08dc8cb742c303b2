//! The keys of tags that later sessions of a chain inherit.

use serde::{Serialize, Serializer};

use super::{MAX_TAGS, SessionTags, TagError, TagKey};

/// The `TransitiveTagKeys` of a request: at most [`MAX_TAGS`] keys in the order given, each the key
/// of one of the request's tags, spelled alike. There is no way to read them without their tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransitiveTagKeys(Vec<TagKey>);

impl TransitiveTagKeys {
    /// Keys in the order given, checked against the tags of the same request.
    ///
    /// # Errors
    /// When there are too many, one is named twice, or one is no key of `tags`.
    pub fn new(keys: Vec<TagKey>, tags: &SessionTags) -> Result<Self, TagError> {
        if keys.len() > MAX_TAGS {
            return Err(TagError::TooManyTransitiveKeys { found: keys.len() });
        }
        for (index, key) in keys.iter().enumerate() {
            match tags.entry(key) {
                None => return Err(TagError::UnknownTransitiveKey { key: key.clone() }),
                Some((tag, _)) if tag != key => {
                    return Err(TagError::TransitiveSpelling {
                        key: key.clone(),
                        tag: tag.clone(),
                    });
                }
                Some(_) if keys[..index].contains(key) => {
                    return Err(TagError::RepeatedTransitiveKey { key: key.clone() });
                }
                Some(_) => {}
            }
        }
        Ok(Self(keys))
    }

    /// The keys in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &TagKey> {
        self.0.iter()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `key` is among them, ignoring case.
    #[must_use]
    pub fn contains(&self, key: &TagKey) -> bool {
        self.0.iter().any(|known| known.is_same_key(key))
    }

    /// The first tag of a later hop that would override a tag inherited through these keys, which
    /// STS refuses.
    #[must_use]
    pub fn overridden_by<'a>(&self, later: &'a SessionTags) -> Option<&'a TagKey> {
        later
            .iter()
            .map(|(key, _)| key)
            .find(|key| self.contains(key))
    }
}

/// As a list of strings.
impl Serialize for TransitiveTagKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
