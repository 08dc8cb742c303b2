//! Whether some text lies in all of these patterns and in none of those: overlap and cover of
//! patterns, exactly.
//!
//! All patterns read the same text at once, one character at a time; each is in the set of places
//! that it may have reached. Characters that no pattern names are alike, so one stands for all.
//! What is not certain (the value of a variable, whether a `*` within a segment crosses a colon) is
//! taken so that a text is rather found than missed: "may", never "surely".

use std::cell::Cell;
use std::collections::HashSet;

use super::{Pattern, Piece, Selector};

/// Most steps of all questions of one [`Search`]. Policies of a legal size need some thousands; who
/// writes a policy that needs more gets the answer that there may be such a text.
const MAX_STEPS: usize = 3_000_000;

/// A selector and whether the text must lie in it (or outside of it).
pub(crate) type Wanted<'a> = (&'a Selector<Pattern>, bool);

/// Answers questions about patterns, with an end to its patience.
pub(crate) struct Search {
    steps_left: Cell<usize>,
}

impl Search {
    pub(crate) fn new() -> Self {
        Self {
            steps_left: Cell::new(MAX_STEPS),
        }
    }

    /// Whether a text may lie in all that is wanted inside, and outside of all that is wanted
    /// outside.
    pub(crate) fn may_exist(&self, wanted: &[Wanted<'_>]) -> bool {
        let mut outside = Vec::new();
        let mut choices: Vec<&[Pattern]> = Vec::new();
        for (selector, inside) in wanted {
            if selector.is_all_but() == *inside {
                outside.extend(selector.items());
            } else {
                choices.push(selector.items());
            }
        }
        self.some_choice(&choices, &mut Vec::new(), &outside)
    }

    /// Tries each combination of one pattern of each choice.
    fn some_choice<'a>(
        &self,
        choices: &[&'a [Pattern]],
        inside: &mut Vec<&'a Pattern>,
        outside: &[&'a Pattern],
    ) -> bool {
        let Some((first, rest)) = choices.split_first() else {
            return self.text_may_exist(inside, outside);
        };
        first.iter().any(|pattern| {
            inside.push(pattern);
            let found = self.some_choice(rest, inside, outside);
            inside.pop();
            found
        })
    }

    /// Whether a text may match all of `inside` and none of `outside`.
    fn text_may_exist(&self, inside: &[&Pattern], outside: &[&Pattern]) -> bool {
        if !self.has_patience(1 + inside.len() + outside.len()) {
            return true;
        }
        let same = |out: &&Pattern| inside.iter().any(|pattern| pattern.is_same_as(out));
        if outside.iter().any(|out| out.is_everything() || same(out)) {
            return false;
        }
        if inside
            .iter()
            .any(|one| inside.iter().any(|other| are_apart(one, other)))
        {
            return false;
        }
        // What a variable stands for is not known: a pattern with one keeps no text away for sure.
        let certain = outside
            .iter()
            .filter(|out| out.variables().next().is_none());
        let mut machines: Vec<Machine<'_>> = inside
            .iter()
            .map(|pattern| Machine::of(pattern, true))
            .collect();
        machines.extend(certain.map(|pattern| Machine::of(pattern, false)));
        match inside.iter().find_map(|pattern| literal(pattern)) {
            Some(text) => machines.iter().all(|machine| machine.reads(&text)),
            None => self.search(&machines),
        }
    }

    fn search(&self, machines: &[Machine<'_>]) -> bool {
        let start: State = machines.iter().map(|m| m.closed(vec![0])).collect();
        let mut seen = HashSet::from([start.clone()]);
        let mut open = vec![start];
        while let Some(state) = open.pop() {
            let each = || machines.iter().zip(&state);
            if each().all(|(machine, places)| machine.accepts(places) == machine.inside) {
                return true;
            }
            for letter in letters(machines, &state) {
                if !self.has_patience(state.iter().map(|places| 1 + places.len()).sum()) {
                    return true;
                }
                let next: State = each().map(|(m, places)| m.step(places, letter)).collect();
                let mut both = machines.iter().zip(&next);
                let lost = both.any(|(machine, places)| machine.inside && places.is_empty());
                if !lost && seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        false
    }

    fn has_patience(&self, steps: usize) -> bool {
        let left = self.steps_left.get().checked_sub(steps);
        self.steps_left.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// The one text that a pattern matches, if it is one.
fn literal(pattern: &Pattern) -> Option<Vec<char>> {
    let letters = pattern.pieces().iter().map(|piece| match piece {
        Piece::Exactly(character) => Some(*character),
        _ => None,
    });
    letters.collect()
}

/// Whether two patterns begin differently: the quick answer for most.
fn are_apart(one: &Pattern, other: &Pattern) -> bool {
    let mut both = one.pieces().iter().zip(other.pieces());
    let first = both.find(|(a, b)| a != b || !matches!(a, Piece::Exactly(_)));
    matches!(first, Some((Piece::Exactly(_), Piece::Exactly(_))))
}

/// One pattern as a machine that reads a text.
struct Machine<'a> {
    pieces: &'a [Piece],
    inside: bool,
}

/// For each machine, the places in its pattern that it may have reached.
type State = Vec<Vec<usize>>;

impl<'a> Machine<'a> {
    fn of(pattern: &'a Pattern, inside: bool) -> Self {
        let pieces = pattern.pieces();
        Self { pieces, inside }
    }

    /// `places` and those that can be reached from them without a character, in order.
    fn closed(&self, mut places: Vec<usize>) -> Vec<usize> {
        places.sort_unstable();
        let mut closed: Vec<usize> = Vec::with_capacity(places.len() + 1);
        for place in places {
            let mut at = place;
            while closed.last().is_none_or(|last| *last < at) {
                closed.push(at);
                let piece = self.pieces.get(at);
                if let Some(Piece::Many { .. } | Piece::Variable(_)) = piece {
                    at += 1;
                }
            }
        }
        closed
    }

    /// The places after one more character; `None` is any that no pattern names.
    fn step(&self, places: &[usize], character: Option<char>) -> Vec<usize> {
        let mut next = Vec::with_capacity(places.len() + 1);
        for &place in places {
            let to = match self.pieces.get(place) {
                Some(Piece::Exactly(wanted)) if Some(*wanted) == character => place + 1,
                Some(Piece::One) => place + 1,
                Some(Piece::Many { ends_segment })
                    if self.inside || *ends_segment || character != Some(':') =>
                {
                    place
                }
                Some(Piece::Variable(_)) => place,
                _ => continue,
            };
            next.push(to);
        }
        self.closed(next)
    }

    /// Whether the text is where the pattern wants it: in it, or outside of it.
    fn reads(&self, text: &[char]) -> bool {
        let start = self.closed(vec![0]);
        let end = text
            .iter()
            .fold(start, |places, letter| self.step(&places, Some(*letter)));
        self.accepts(&end) == self.inside
    }

    fn accepts(&self, places: &[usize]) -> bool {
        places.contains(&self.pieces.len())
    }
}

/// The characters that make a difference in this state, and one for all others. The colon is one of
/// them where a `*` may stop at it.
fn letters(machines: &[Machine<'_>], state: &State) -> Vec<Option<char>> {
    let mut letters = vec![None];
    for (machine, places) in machines.iter().zip(state) {
        for place in places {
            let letter = match machine.pieces.get(*place) {
                Some(Piece::Exactly(character)) => Some(*character),
                Some(Piece::Many { .. }) if !machine.inside => Some(':'),
                _ => continue,
            };
            if !letters.contains(&letter) {
                letters.push(letter);
            }
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{MAX_STEPS, Search, Wanted};
    use crate::json::Position;
    use crate::statement::pattern::Syntax;
    use crate::statement::{Pattern, Selector};

    fn may_exist(wanted: &[Wanted<'_>]) -> bool {
        Search::new().may_exist(wanted)
    }

    fn pattern(text: &str) -> Pattern {
        let syntax = Syntax {
            wildcards: true,
            variables: true,
        };
        Pattern::read(text, syntax, Position::START).unwrap()
    }

    fn only(texts: &[&str]) -> Selector<Pattern> {
        Selector::Only(texts.iter().map(|text| pattern(text)).collect())
    }

    fn all_but(texts: &[&str]) -> Selector<Pattern> {
        Selector::AllBut(texts.iter().map(|text| pattern(text)).collect())
    }

    #[test]
    fn overlap_table() {
        for (one, other, overlap) in [
            ("s3:Get*", "s3:*Object", true),
            ("s3:Get*", "s3:Put*", false),
            ("a?c", "ab*", true),
            ("a?", "a", false),
            ("*", "", true),
            ("*a", "b*", true),
            ("a*b*c", "a*c*b", false),
            ("${aws:username}/x", "alice/*", true),
            ("${aws:username}/x", "alice/y", false),
            ("${*}", "a", false),
        ] {
            let (a, b) = (only(&[one]), only(&[other]));
            assert_eq!(
                may_exist(&[(&a, true), (&b, true)]),
                overlap,
                "{one} {other}"
            );
            assert_eq!(
                may_exist(&[(&b, true), (&a, true)]),
                overlap,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn cover_table() {
        for (inner, outer, covered) in [
            (only(&["s3:GetObject"]), only(&["s3:Get*"]), true),
            (only(&["s3:Get*"]), only(&["s3:GetObject"]), false),
            (only(&["*?"]), only(&["?*"]), true),
            (only(&["?"]), only(&["a", "b"]), false),
            (only(&["x:a", "x:b"]), only(&["x:?"]), true),
            (only(&["a"]), all_but(&["b", "c*"]), true),
            (only(&["a"]), all_but(&["?"]), false),
            (all_but(&["a", "b"]), all_but(&["a"]), true),
            (all_but(&["a"]), all_but(&["a", "b"]), false),
            (all_but(&["a"]), only(&["*"]), true),
            (only(&["*"]), only(&["*"]), true),
            // A variable may be any text, yet is the same text in equal patterns.
            (
                only(&["${aws:username}/x"]),
                only(&["${aws:username}/x"]),
                true,
            ),
            (only(&["${aws:username}/x"]), only(&["*/x"]), false),
            (only(&["a/x"]), only(&["${aws:username}/x"]), false),
            // Within a segment, whether a star crosses a colon is not documented.
            (only(&["arn:a:b"]), only(&["arn:*b"]), false),
            (only(&["arn:ab"]), only(&["arn:*b"]), true),
            (only(&["arn:a:b"]), only(&["arn:*"]), true),
        ] {
            let uncovered = may_exist(&[(&inner, true), (&outer, false)]);
            assert_eq!(!uncovered, covered, "{inner:?} {outer:?}");
        }
    }

    fn action(text: &str) -> Selector<Pattern> {
        Selector::Only(vec![Pattern::action(text, Position::START)])
    }

    #[test]
    fn cover_of_actions_is_exact() {
        for (inner, outer, covered) in [
            ("x:*a*b", "x:*a?*", true),
            ("x:*a*", "x:*a?*", false),
            ("x:Get*Tag", "x:get*", true),
            ("x:*", "*:*", true),
            ("x:a", "x:b", false),
        ] {
            let uncovered = may_exist(&[(&action(inner), true), (&action(outer), false)]);
            assert_eq!(!uncovered, covered, "{inner} {outer}");
        }
    }

    #[test]
    fn several_selectors_together() {
        let (a, b) = (action("a*"), action("*b"));
        let (ab, not) = (
            action("ab"),
            Selector::AllBut(action("a*b").items().to_vec()),
        );
        assert!(may_exist(&[(&a, true), (&b, true), (&ab, false)]));
        assert!(!may_exist(&[(&a, true), (&b, true), (&not, true)]));
        assert!(!may_exist(&[(&a, true), (&not, false), (&b, false)]));
    }

    #[test]
    fn patience_ends_with_may() {
        // One character cannot be both, yet each set of places among the last ones is tried.
        let both = |tail: usize| {
            let tail = "?".repeat(tail);
            (
                action(&format!("x:*a{tail}")),
                action(&format!("x:*b{tail}")),
            )
        };
        let (one, other) = both(3);
        assert!(!Search::new().may_exist(&[(&one, true), (&other, true)]));
        let (one, other) = both(40);
        let search = Search::new();
        assert!(search.may_exist(&[(&one, true), (&other, true)]));
        assert!(search.steps_left.get() < MAX_STEPS / 2, "it was not tried");
    }
}
