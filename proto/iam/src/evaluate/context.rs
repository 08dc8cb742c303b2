//! A request, and what is known about it.

use std::collections::BTreeMap;

use crate::excerpt::Excerpt;

/// What is known about a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// The request has it, with these values; one or more.
    Values(&'a [String]),
    /// The request does not have it.
    Absent,
    /// Nothing is known.
    Unknown,
}

/// The condition keys of a request. Keys have no case, values do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// In lower case; an empty list is a key that is known to be absent.
    keys: BTreeMap<String, Vec<String>>,
    complete: bool,
}

impl Context {
    /// A request of which only the keys named later are known.
    #[must_use]
    pub fn partial() -> Self {
        Self {
            keys: BTreeMap::new(),
            complete: false,
        }
    }

    /// A request that has the keys named later and no others.
    #[must_use]
    pub fn complete() -> Self {
        Self {
            complete: true,
            ..Self::partial()
        }
    }

    /// The same with one more key; without any value the key is known to be absent. A key named
    /// twice keeps what was said last.
    #[must_use]
    pub fn with<T: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.keys.insert(key.to_ascii_lowercase(), values);
        self
    }

    /// What is known about a key.
    #[must_use]
    pub fn fact(&self, key: &str) -> Fact<'_> {
        match self.keys.get(&key.to_ascii_lowercase()).map(Vec::as_slice) {
            Some([]) => Fact::Absent,
            Some(values) => Fact::Values(values),
            None if self.complete => Fact::Absent,
            None => Fact::Unknown,
        }
    }
}

/// Why something is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No action, or a pattern.
    #[error("an action is expected, such as s3:GetObject, without wildcards, not {found}")]
    Action {
        /// What is there.
        found: Excerpt,
    },
    /// No resource.
    #[error("a resource is expected: an ARN, or * where the action has none, not {found}")]
    Resource {
        /// What is there.
        found: Excerpt,
    },
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    action: String,
    resource: String,
    context: Context,
}

impl Request {
    /// A request. `resource` is a whole ARN, or `*` for an action without resources; no character
    /// of it is a wildcard.
    ///
    /// # Errors
    /// When `action` is not one, or `resource` is neither `*` nor an ARN of six parts.
    pub fn new(action: &str, resource: &str, context: Context) -> Result<Self, RequestError> {
        let word = |word: &str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !word.is_empty() && word.chars().all(legal)
        };
        if !action
            .split_once(':')
            .is_some_and(|(a, b)| word(a) && word(b))
        {
            let found = Excerpt::of(action);
            return Err(RequestError::Action { found });
        }
        let arn = resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6;
        if resource != "*" && !arn {
            let found = Excerpt::of(resource);
            return Err(RequestError::Resource { found });
        }
        Ok(Self {
            action: action.to_ascii_lowercase(),
            resource: resource.to_owned(),
            context,
        })
    }

    /// The action in lower case.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// What else is known.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}
