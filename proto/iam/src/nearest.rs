//! The nearest of some known words, for "did you mean".

/// The known word that a person most probably meant by `word`: equal but for case, or at most two
/// edits away (one for words under four characters).
#[must_use]
pub fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    const LONGEST: usize = 64;
    if word.chars().count() > LONGEST {
        return None;
    }
    let allowed = if word.chars().count() < 4 { 1 } else { 2 };
    let lower = word.to_lowercase();
    known
        .iter()
        .map(|&candidate| (edits(&lower, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, one row at a time.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, &other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{edits, nearest};

    #[test]
    fn distances() {
        for (from, to, distance) in [
            ("", "", 0),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("effect", "efect", 1),
        ] {
            assert_eq!(edits(from, to), distance, "{from} {to}");
        }
    }

    #[test]
    fn a_near_miss_finds_its_word_and_a_far_one_none() {
        let known = ["Effect", "Action", "Sid"];
        assert_eq!(nearest("effect", &known), Some("Effect"));
        assert_eq!(nearest("Actions", &known), Some("Action"));
        assert_eq!(nearest("SID", &known), Some("Sid"));
        assert_eq!(nearest("Ab", &known), None);
        assert_eq!(nearest("Something", &known), None);
    }
}
