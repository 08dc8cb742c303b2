//! Texts with variables: `{user} {host} {profile} {account_id} {account} {session} {ticket}`.

use std::fmt;

use super::name::SessionId;

/// Longest template, in characters. Session tags take 256; the rest is for the variables' names.
pub const MAX_TEMPLATE: usize = 1_024;

/// What a template may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// The operating system's name of the user.
    User,
    /// The machine's host name.
    Host,
    /// The profile's name.
    Profile,
    /// The role's account, twelve digits.
    AccountId,
    /// The account's name in the configuration, else its twelve digits.
    Account,
    /// Our session id, drawn when the role is assumed.
    Session,
    /// The ticket that the caller gave.
    Ticket,
}

impl Variable {
    /// All variables, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::Host,
        Self::Profile,
        Self::AccountId,
        Self::Account,
        Self::Session,
        Self::Ticket,
    ];

    /// The name between the braces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Host => "host",
            Self::Profile => "profile",
            Self::AccountId => "account_id",
            Self::Account => "account",
            Self::Session => "session",
            Self::Ticket => "ticket",
        }
    }
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace without its partner.
    #[error("a brace stands alone")]
    Unbalanced,
    /// Not one of the variables.
    #[error("no variable is called {{{}}}", .0.escape_debug())]
    UnknownVariable(String),
    /// Over [`MAX_TEMPLATE`].
    #[error("longer than {MAX_TEMPLATE} characters")]
    TooLong,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    Literal(String),
    Variable(Variable),
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template(Vec<Piece>);

/// The variables' values for one ask. The session id is not among them: it is drawn when the role is assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values<'a> {
    /// `{user}`
    pub user: &'a str,
    /// `{host}`
    pub host: &'a str,
    /// `{profile}`
    pub profile: &'a str,
    /// `{account_id}`
    pub account_id: &'a str,
    /// `{account}`
    pub account: &'a str,
    /// `{ticket}`; absent when the caller gave none.
    pub ticket: Option<&'a str>,
}

/// The template needs a ticket and the caller gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("needs a ticket")]
pub struct TicketMissing;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// An unknown variable, a brace alone, a text over [`MAX_TEMPLATE`] characters.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.chars().count() > MAX_TEMPLATE {
            return Err(TemplateError::TooLong);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, tail) = rest.split_at(open);
            let inner = tail.strip_prefix('{').ok_or(TemplateError::Unbalanced)?;
            let close = inner.find(['{', '}']).ok_or(TemplateError::Unbalanced)?;
            let after = inner[close..]
                .strip_prefix('}')
                .ok_or(TemplateError::Unbalanced)?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            pieces.push(Piece::Variable(variable(&inner[..close])?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Whether the variable occurs.
    #[must_use]
    pub fn names(&self, wanted: Variable) -> bool {
        self.0.contains(&Piece::Variable(wanted))
    }

    /// Puts the values in; `{session}` stays open.
    ///
    /// # Errors
    /// `{ticket}` occurs and there is none.
    pub fn render(&self, values: &Values<'_>) -> Result<Pattern, TicketMissing> {
        let mut texts = vec![String::new()];
        for piece in &self.0 {
            let text = match piece {
                Piece::Literal(literal) => literal,
                Piece::Variable(Variable::User) => values.user,
                Piece::Variable(Variable::Host) => values.host,
                Piece::Variable(Variable::Profile) => values.profile,
                Piece::Variable(Variable::AccountId) => values.account_id,
                Piece::Variable(Variable::Account) => values.account,
                Piece::Variable(Variable::Ticket) => values.ticket.ok_or(TicketMissing)?,
                Piece::Variable(Variable::Session) => {
                    texts.push(String::new());
                    continue;
                }
            };
            if let Some(last) = texts.last_mut() {
                last.push_str(text);
            }
        }
        Ok(Pattern(texts))
    }
}

fn variable(name: &str) -> Result<Variable, TemplateError> {
    let known = Variable::ALL
        .into_iter()
        .find(|variable| variable.as_str() == name);
    known.ok_or_else(|| TemplateError::UnknownVariable(name.to_owned()))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Literal(literal) => f.write_str(literal),
            Piece::Variable(variable) => write!(f, "{{{}}}", variable.as_str()),
        })
    }
}

/// A rendered template in which only the session id is open: the texts around it, so that no value can stand
/// for it. It is part of the cache key: two asks that differ in their session id alone are the same question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// The text with the session id in its place.
    #[must_use]
    pub fn with_session(&self, session: &SessionId) -> String {
        self.0.join(session.as_str())
    }

    /// The text, if no session id is in it.
    #[must_use]
    pub fn fixed_text(&self) -> Option<String> {
        match self.0.as_slice() {
            [text] => Some(text.clone()),
            _ => None,
        }
    }

    /// A text without variables.
    #[must_use]
    pub fn fixed(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const VALUES: Values<'_> = Values {
        user: "alice",
        host: "laptop",
        profile: "dev",
        account_id: "222222222222",
        account: "sandbox",
        ticket: Some("OPS-1"),
    };

    #[test]
    fn every_variable_renders() {
        let text = "{user}|{host}|{profile}|{account_id}|{account}|{session}|{ticket}|";
        let template = Template::parse(text).unwrap();
        let session = SessionId::parse("S1").unwrap();
        assert_eq!(
            template.render(&VALUES).unwrap().with_session(&session),
            "alice|laptop|dev|222222222222|sandbox|S1|OPS-1|"
        );
        assert_eq!(template.to_string(), text);
        assert!(
            Variable::ALL
                .into_iter()
                .all(|variable| template.names(variable))
        );
    }

    #[test]
    fn broken_templates_are_refused() {
        for text in [
            "{", "}", "{user", "user}", "{{user}}", "a{user}}", "{us{er}",
        ] {
            assert_eq!(
                Template::parse(text),
                Err(TemplateError::Unbalanced),
                "{text}"
            );
        }
        let unknown = Template::parse("{usr}").unwrap_err();
        assert_eq!(unknown, TemplateError::UnknownVariable("usr".into()));
        assert!(Template::parse(&"a".repeat(MAX_TEMPLATE)).is_ok());
        assert_eq!(
            Template::parse(&"a".repeat(MAX_TEMPLATE + 1)),
            Err(TemplateError::TooLong)
        );
    }

    #[test]
    fn a_ticket_must_be_there() {
        let values = Values {
            ticket: None,
            ..VALUES
        };
        assert_eq!(
            Template::parse("{ticket}").unwrap().render(&values),
            Err(TicketMissing)
        );
        assert_eq!(
            Template::parse("x").unwrap().render(&values),
            Ok(Pattern::fixed("x"))
        );
    }
}
