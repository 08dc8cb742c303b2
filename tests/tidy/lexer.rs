//! Just enough of Rust's grammar to tell code from comments, literals and tests, and to find functions and paths.

/// The code with everything inside comments and literals blanked; same length in characters, same lines.
pub(crate) fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = skipped(&characters, at);
        if end == at {
            out.push(characters[at]);
            at += 1;
            continue;
        }
        let lines = |character: &char| if *character == '\n' { '\n' } else { ' ' };
        out.extend(characters[at..end].iter().map(lines));
        at = end;
    }
    out
}

/// Where the comment or literal that begins here ends; `at` itself when none begins.
fn skipped(text: &[char], at: usize) -> usize {
    let next = text.get(at + 1).copied();
    match (text[at], next) {
        ('/', Some('/')) => line_comment(text, at),
        ('/', Some('*')) => block_comment(text, at),
        ('"', _) => string(text, at + 1),
        ('\'', _) => character(text, at),
        ('r', Some('"' | '#')) if !inside_word(text, at) => raw_string(text, at),
        _ => at,
    }
}

/// Whether the character before belongs to the same word: then this `r` begins no raw string. `br"` and `cr"` do.
fn inside_word(text: &[char], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|place| text.get(place));
    let is_word = |character: Option<&char>| character.is_some_and(|c| is_name(*c));
    match before(1) {
        Some('b' | 'c') => is_word(before(2)),
        other => is_word(other),
    }
}

fn line_comment(text: &[char], at: usize) -> usize {
    let length = text[at..].iter().position(|character| *character == '\n');
    length.map_or(text.len(), |length| at + length)
}

fn block_comment(text: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (1, at + 2);
    while at < text.len() && depth > 0 {
        let pair = (text[at], text.get(at + 1));
        match pair {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at.min(text.len())
}

fn string(text: &[char], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn raw_string(text: &[char], at: usize) -> usize {
    let marks = text[at + 1..].iter().take_while(|c| **c == '#').count();
    let mut place = at + 1 + marks;
    if text.get(place) != Some(&'"') {
        return at; // a raw identifier such as r#type
    }
    place += 1;
    while place < text.len() {
        let closing = text[place + 1..].iter().take(marks);
        let closes = closing.len() == marks && closing.clone().all(|c| *c == '#');
        if text[place] == '"' && closes {
            return place + 1 + marks;
        }
        place += 1;
    }
    text.len()
}

/// A character literal; a lifetime is none.
fn character(text: &[char], at: usize) -> usize {
    match (text.get(at + 1), text.get(at + 2)) {
        (Some('\\'), Some(_)) => {
            let closing = text[at + 3..].iter().position(|c| *c == '\'');
            closing.map_or(text.len(), |length| at + 3 + length + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

pub(crate) fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Blanked code without its tests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// Same lines as before, those of tests blank.
    pub(crate) text: String,
    /// How many lines belong to tests.
    pub(crate) test_lines: usize,
}

/// How an item of tests is marked, and how one that the fuzz targets have too begins.
const MARKS: [&str; 2] = ["#[cfg(test)]", "#[cfg(any(test, feature"];

/// Takes out what is marked as belonging to tests.
pub(crate) fn without_tests(blanked: &str) -> Code {
    let mut text = blanked.to_owned();
    let mut test_lines = 0;
    while let Some(start) = MARKS.iter().filter_map(|mark| text.find(mark)).min() {
        let end = item_end(&text, start);
        let taken = &text[start..end];
        test_lines += taken.matches('\n').count() + 1;
        let empty: String = taken
            .chars()
            .map(|c| if c == '\n' { c } else { ' ' })
            .collect();
        text.replace_range(start..end, &empty);
    }
    Code { text, test_lines }
}

/// Names of modules in other files that are declared as tests, as in `#[cfg(test)] mod NAME;`.
pub(crate) fn test_modules(blanked: &str) -> Vec<String> {
    let [plain, shared] = MARKS.map(|mark| blanked.split(mark).skip(1));
    let shared = shared.filter_map(|item| item.split_once(']').map(|(_, item)| item));
    let names = plain.chain(shared).filter_map(|item| {
        let declared = item.trim_start().trim_start_matches("pub ");
        let declared = declared.trim_start_matches("pub(crate) ");
        let (name, _) = declared.strip_prefix("mod ")?.split_once(';')?;
        name.chars().all(is_name).then(|| name.to_owned())
    });
    names.collect()
}

/// Where an item ends that begins here, attributes included: behind its `;`, or behind the brace that closes it.
fn item_end(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, character) in text[start..].char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + at + 1;
                }
            }
            ';' if depth == 0 => return start + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
}

/// The functions of blanked code, nested ones too.
pub(crate) fn functions(blanked: &str) -> Vec<Function> {
    let found = declared(blanked, "fn");
    let measured = found.into_iter().filter_map(|(start, name)| {
        let item = &blanked[start..item_end(blanked, start)];
        let lines = item.matches('\n').count() + 1;
        item.ends_with('}').then_some(Function { name, lines })
    });
    measured.collect()
}

/// Where a keyword declares a name.
pub(crate) fn declared(blanked: &str, keyword: &str) -> Vec<(usize, String)> {
    let words = words(blanked);
    let pairs = words.windows(2).filter(|pair| {
        let between = &blanked[pair[0].0 + pair[0].1.len()..pair[1].0];
        pair[0].1 == keyword && between.trim().is_empty()
    });
    pairs
        .map(|pair| (pair[0].0, pair[1].1.to_owned()))
        .collect()
}

/// The words of blanked code with their places.
pub(crate) fn words(blanked: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in blanked.char_indices().chain([(blanked.len(), ' ')]) {
        match (is_name(character), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, &blanked[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Every path that blanked code names: those of `use` in full, and inline ones of two segments or more.
pub(crate) fn paths(blanked: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = String::with_capacity(blanked.len());
    let mut from = 0;
    for (start, _) in words(blanked).iter().filter(|(_, word)| *word == "use") {
        let Some(length) = blanked[*start..].find(';') else {
            continue;
        };
        let tree: Vec<&str> = blanked[start + 3..start + length]
            .split_whitespace()
            .collect();
        branches(&[], &tree.join(" "), &mut found);
        rest.push_str(&blanked[from..*start]);
        from = start + length;
    }
    rest.push_str(&blanked[from..]);
    found.extend(inline(&rest));
    found
}

/// The leaves of a `use` tree.
fn branches(stem: &[String], tree: &str, found: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    if let Some(group) = tree.strip_prefix('{') {
        for branch in split_group(group.trim_end().trim_end_matches('}')) {
            branches(stem, branch, found);
        }
        return;
    }
    let (segment, below) = match tree.split_once("::") {
        Some((segment, below)) => (segment, Some(below)),
        None => (tree, None),
    };
    let mut path = stem.to_vec();
    let name: String = segment.chars().take_while(|c| is_name(*c)).collect();
    let names_something = !name.is_empty() && (name != "self" || stem.is_empty());
    path.extend(names_something.then_some(name));
    match below {
        Some(below) => branches(&path, below, found),
        None if path.is_empty() => {}
        None => found.push(path),
    }
}

/// The members of a group, split at commas outside inner groups.
fn split_group(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut members) = (0_i32, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    members.push(&group[from..]);
    members
}

fn inline(code: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut end_of_last = usize::MAX;
    for (start, word) in words(code) {
        let joined = end_of_last != usize::MAX && code[end_of_last..start].trim() == "::";
        match found.last_mut() {
            Some(path) if joined => path.push(word.to_owned()),
            _ => found.push(vec![word.to_owned()]),
        }
        end_of_last = start + word.len();
    }
    found.retain(|path| path.len() > 1);
    found
}

#[cfg(test)]
mod tests;
