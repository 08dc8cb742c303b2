//! The account id.

use super::ArnError;
use crate::excerpt::Excerpt;
use crate::string_form::string_form;

/// An AWS account id: 12 ASCII digits, leading zeros kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// Reads an account id.
    ///
    /// # Errors
    /// When it is not 12 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        match <[u8; 12]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(digits)),
            _ => Err(ArnError::Account {
                found: Excerpt::of(text),
            }),
        }
    }

    /// The 12 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII digits get in")
    }
}

string_form!(AccountId, ArnError);
