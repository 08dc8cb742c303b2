//! Patterns of actions and resources, with `*` for any text and `?` for any character: which of them
//! holds everything that another one matches.
//!
//! Both answers lean to one side. [`covers`] says yes only if that is certain, [`may_overlap`] says no
//! only if that is certain.

/// Whether everything that `inner` matches is matched by `outer`.
///
/// A policy variable (`${…}`) stands for an unknown text: it is covered by `*`, or by itself.
pub(super) fn covers(outer: &str, inner: &str) -> bool {
    if inner.contains("${") && outer.contains('?') {
        return false;
    }
    let (outer, inner) = (outer.as_bytes(), inner.as_bytes());
    let (mut at, mut from) = (0, 0);
    // The last star of the outer pattern, and how much of the inner one it took.
    let mut star: Option<(usize, usize)> = None;
    while from < inner.len() {
        match outer.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&symbol) if takes(symbol, inner[from]) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                at = place + 1;
                from = taken + 1;
            }
        }
    }
    outer[at..].iter().all(|symbol| *symbol == b'*')
}

/// Whether one symbol of the outer pattern, no star, matches all that one of the inner does.
fn takes(outer: u8, inner: u8) -> bool {
    match inner {
        b'*' => false,
        b'?' => outer == b'?',
        _ => outer == inner || outer == b'?' && inner.is_ascii(),
    }
}

/// Whether some text may match both patterns.
pub(super) fn may_overlap(one: &str, other: &str) -> bool {
    let plain = |pattern: &str| !pattern.contains(['*', '?']) && !pattern.contains("${");
    match (plain(one), plain(other)) {
        (true, true) => one == other,
        (true, false) if !other.contains("${") => covers(other, one),
        (false, true) if !one.contains("${") => covers(one, other),
        _ => ends_agree(one, other),
    }
}

/// Whether the plain beginnings do not exclude each other, nor the plain ends.
fn ends_agree(one: &str, other: &str) -> bool {
    let head = |pattern: &'_ str| pattern.find(['*', '?', '$']).unwrap_or(pattern.len());
    let tail = |pattern: &'_ str| pattern.rfind(['*', '?', '}']).map_or(0, |last| last + 1);
    let (first, second) = (&one[..head(one)], &other[..head(other)]);
    let (third, fourth) = (&one[tail(one)..], &other[tail(other)..]);
    (first.starts_with(second) || second.starts_with(first))
        && (third.ends_with(fourth) || fourth.ends_with(third))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_covers_what() {
        for (outer, inner, expected) in [
            ("*", "*", true),
            ("*", "s3:get*", true),
            ("s3:*", "s3:get*", true),
            ("s3:get*", "s3:*", false),
            ("s3:get*", "s3:getobject", true),
            ("s3:g?t", "s3:get", true),
            ("s3:g?t", "s3:g*t", false),
            ("s3:g*t", "s3:g?t", true),
            ("a*b*c", "a*xb*c", true),
            ("a*b", "a*", false),
            ("**", "*", true),
            ("?*", "*", false),
            ("", "", true),
            ("", "*", false),
            ("arn:x/*", "arn:x/${aws:username}", true),
            ("arn:x/${aws:username}", "arn:x/${aws:username}", true),
            ("arn:x/?????????????*", "arn:x/${aws:username}", false),
            ("a?", "aé", false),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} {inner}");
        }
    }

    #[test]
    fn what_may_overlap() {
        for (one, other, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a*", "b*", false),
            ("a*", "*b", true),
            ("*a", "*b", false),
            ("a*", "ab*", true),
            ("s3:get*", "s3:getobject", true),
            ("s3:get*", "s3:putobject", false),
            ("x/${aws:username}", "x/bob", true),
            ("x/${aws:username}", "y/bob", false),
        ] {
            assert_eq!(may_overlap(one, other), expected, "{one} {other}");
            assert_eq!(may_overlap(other, one), expected, "{other} {one}");
        }
    }

    /// By trying everything, for short texts.
    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|n| matches(rest, &text[n..])),
            Some((b'?', rest)) => !text.is_empty() && matches(rest, &text[1..]),
            Some((symbol, rest)) => text.first() == Some(symbol) && matches(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn yes_is_certain_to_cover_and_no_is_certain_to_be_apart(
            outer in "[ab*?]{0,6}", inner in "[ab*?]{0,6}", text in "[ab]{0,7}",
        ) {
            let of = |pattern: &str| matches(pattern.as_bytes(), text.as_bytes());
            if of(&inner) && covers(&outer, &inner) {
                prop_assert!(of(&outer));
            }
            if of(&inner) && of(&outer) {
                prop_assert!(may_overlap(&outer, &inner));
            }
        }
    }
}
