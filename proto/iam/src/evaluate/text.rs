//! A pattern of a policy against a text of a request: variables filled in, wildcards matched.

use super::answer::{Answer, Doubt};
use super::context::{Context, Fact};
use crate::statement::{Pattern, Piece, Variable};

/// How pieces are read that are not certain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Whether a `*` within a segment reaches beyond a colon.
    pub(super) stars_cross: bool,
    /// Whether a variable without a known value may be any text; else it is none.
    pub(super) variables_match: bool,
}

impl Reading {
    /// Matches whatever may match.
    pub(super) const WIDEST: Self = Self {
        stars_cross: true,
        variables_match: true,
    };
    /// Matches only what surely matches.
    const NARROWEST: Self = Self {
        stars_cross: false,
        variables_match: false,
    };

    /// Whether the whole text matches.
    pub(super) fn matches(self, pieces: &[Piece], text: &str) -> bool {
        let mut reached = vec![false; pieces.len() + 1];
        reached[0] = true;
        self.skip(pieces, &mut reached);
        for character in text.chars() {
            let mut next = vec![false; pieces.len() + 1];
            for (at, piece) in pieces.iter().enumerate().filter(|(at, _)| reached[*at]) {
                match piece {
                    Piece::Exactly(wanted) => next[at + 1] |= *wanted == character,
                    Piece::One => next[at + 1] = true,
                    Piece::Many { ends_segment } => {
                        next[at] |= self.stars_cross || *ends_segment || character != ':';
                    }
                    Piece::Variable(_) => next[at] |= self.variables_match,
                }
            }
            self.skip(pieces, &mut next);
            reached = next;
        }
        reached[pieces.len()]
    }

    fn skip(self, pieces: &[Piece], reached: &mut [bool]) {
        for (at, piece) in pieces.iter().enumerate() {
            let skips = match piece {
                Piece::Many { .. } => true,
                Piece::Variable(_) => self.variables_match,
                Piece::Exactly(_) | Piece::One => false,
            };
            if skips && reached[at] {
                reached[at + 1] = true;
            }
        }
    }
}

/// Whether a pattern of a list matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hit {
    Yes,
    No,
    Unknown(Doubt),
    /// A variable has no value: the pattern matches nothing, and may void its whole statement.
    Void(Doubt),
}

impl Hit {
    pub(super) fn of(hit: bool) -> Self {
        if hit { Self::Yes } else { Self::No }
    }

    /// Whether a list matches: one of it is enough; `negated`: none of it must match. A void
    /// pattern voids the statement, or merely does not match: certain is only what both give.
    pub(super) fn together(hits: &[Self], negated: bool) -> Answer {
        let known = hits.iter().map(|hit| match hit {
            Self::Yes => Answer::Yes,
            Self::No | Self::Void(_) => Answer::No,
            Self::Unknown(doubt) => Answer::Unknown(doubt.clone()),
        });
        let any = Answer::any(known);
        let answer = if negated { any.not() } else { any };
        let void = hits.iter().find_map(|hit| match hit {
            Self::Void(doubt) => Some(doubt),
            _ => None,
        });
        match (answer, void) {
            (Answer::No, _) => Answer::No,
            (_, Some(doubt)) => Answer::Unknown(doubt.clone()),
            (answer, None) => answer,
        }
    }
}

/// A pattern with the values of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled<'a> {
    pattern: &'a Pattern,
    /// Those that are left have no known value.
    pub(super) pieces: Vec<Piece>,
    /// The first of them.
    pub(super) unknown: Option<&'a Variable>,
    void: Option<&'a Variable>,
}

impl<'a> Filled<'a> {
    pub(super) fn of(pattern: &'a Pattern, context: &Context) -> Self {
        let mut filled = Self {
            pattern,
            pieces: Vec::with_capacity(pattern.pieces().len()),
            unknown: None,
            void: None,
        };
        for piece in pattern.pieces() {
            match piece {
                Piece::Variable(variable) => filled.fill(variable, context),
                other => filled.pieces.push(other.clone()),
            }
        }
        filled
    }

    fn fill(&mut self, variable: &'a Variable, context: &Context) {
        let value = match (context.fact(&variable.key), &variable.default) {
            (Fact::Values([one]), _) => one,
            (Fact::Absent, Some(default)) => default,
            (Fact::Absent, None) => {
                self.void.get_or_insert(variable);
                return;
            }
            // A key with several values is no variable, say the documents, but not what it is.
            (Fact::Values(_) | Fact::Unknown, _) => {
                self.unknown.get_or_insert(variable);
                self.pieces.push(Piece::Variable(variable.clone()));
                return;
            }
        };
        self.pieces.extend(value.chars().map(Piece::Exactly));
    }

    /// A variable without a value, or without a known one.
    pub(super) fn trouble(&self) -> Option<Hit> {
        let key = |variable: &Variable| variable.key.clone();
        let void = self
            .void
            .map(key)
            .map(|key| Doubt::VariableWithoutValue { key });
        let unknown = self.unknown.map(key).map(|key| Doubt::Variable { key });
        void.map(Hit::Void).or(unknown.map(Hit::Unknown))
    }

    /// Whether it matches a resource.
    pub(super) fn hit(&self, text: &str) -> Hit {
        if let Some(void @ Hit::Void(_)) = self.trouble() {
            return void;
        }
        if !Reading::WIDEST.matches(&self.pieces, text) {
            return Hit::No;
        }
        if Reading::NARROWEST.matches(&self.pieces, text) {
            return Hit::Yes;
        }
        self.trouble().unwrap_or_else(|| {
            Hit::Unknown(Doubt::StarAcrossColon {
                pattern: self.pattern.as_str().to_owned(),
            })
        })
    }

    /// Whether it matches a text in which colons mean nothing.
    pub(super) fn hit_text(&self, text: &str) -> Hit {
        if let Some(void @ Hit::Void(_)) = self.trouble() {
            return void;
        }
        if !Reading::WIDEST.matches(&self.pieces, text) {
            return Hit::No;
        }
        self.trouble().unwrap_or(Hit::Yes)
    }

    /// The text, where nothing in it is a wildcard or unknown.
    pub(super) fn literal(&self) -> Option<String> {
        let letters = self.pieces.iter().map(|piece| match piece {
            Piece::Exactly(character) => Some(*character),
            _ => None,
        });
        letters.collect()
    }
}
