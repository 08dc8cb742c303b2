//! Makes any record harmless to print and short enough for its line.
//!
//! A hand-out never fails because of a record's length: what a caller wrote freely is cut first, then lists,
//! then everything. Each cut says how much is missing.

use serde_json::{Map, Value};

/// Texts that callers or errors fill: cut first.
const FREE: [&str; 5] = ["message", "path", "reason", "status_detail", "ticket"];
/// Lists that callers fill. A cut one gets a neighbour `…_omitted` with the number of what is missing.
const LISTS: [&str; 3] = ["policy_arns", "tags", "transitive_tags"];

/// How much of a record is kept.
#[derive(Clone, Copy)]
struct Limits {
    /// Characters of a free text or a tag's value.
    free: usize,
    /// Characters of any other text.
    other: usize,
    /// Elements of a list.
    items: usize,
}

/// From gentle to harsh; the last one fits every record, whatever is in it.
const LADDER: [Limits; 7] = [
    Limits {
        free: 1024,
        other: usize::MAX,
        items: usize::MAX,
    },
    Limits {
        free: 256,
        other: usize::MAX,
        items: usize::MAX,
    },
    Limits {
        free: 64,
        other: usize::MAX,
        items: usize::MAX,
    },
    Limits {
        free: 16,
        other: usize::MAX,
        items: usize::MAX,
    },
    Limits {
        free: 16,
        other: usize::MAX,
        items: 10,
    },
    Limits {
        free: 16,
        other: usize::MAX,
        items: 0,
    },
    Limits {
        free: 16,
        other: 32,
        items: 0,
    },
];

/// Cuts the record until its JSON has at most `budget` bytes.
pub(super) fn cut_to(record: &mut Map<String, Value>, budget: usize) {
    if length(record) <= budget {
        return;
    }
    let whole = std::mem::take(record);
    for limits in LADDER {
        record.clone_from(&whole);
        cut(record, limits);
        if length(record) <= budget {
            break;
        }
    }
}

fn length(record: &Map<String, Value>) -> usize {
    serde_json::to_vec(record).map_or(usize::MAX, |text| text.len())
}

fn cut(members: &mut Map<String, Value>, limits: Limits) {
    let mut omitted = Vec::new();
    for (key, value) in members.iter_mut() {
        if LISTS.contains(&key.as_str()) {
            let missing = shorten_list(value, limits);
            omitted.extend((missing > 0).then(|| (format!("{key}_omitted"), missing)));
        } else if let Value::Object(members) = value {
            cut(members, limits);
        } else if let Value::String(text) = value {
            let free = FREE.contains(&key.as_str());
            shorten(text, if free { limits.free } else { limits.other });
        }
    }
    members.extend(
        omitted
            .into_iter()
            .map(|(key, missing)| (key, Value::from(missing))),
    );
}

/// Keeps the first elements; returns how many are gone.
fn shorten_list(list: &mut Value, limits: Limits) -> usize {
    match list {
        Value::Array(items) => {
            let missing = items.len().saturating_sub(limits.items);
            items.truncate(limits.items);
            missing
        }
        Value::Object(items) => {
            let missing = items.len().saturating_sub(limits.items);
            let kept = std::mem::take(items).into_iter().take(limits.items);
            items.extend(kept);
            for value in items.values_mut() {
                if let Value::String(text) = value {
                    shorten(text, limits.free);
                }
            }
            missing
        }
        _ => 0,
    }
}

/// Keeps the first characters and says how many are gone.
fn shorten(text: &mut String, limit: usize) {
    if let Some((end, _)) = text.char_indices().nth(limit) {
        let missing = text[end..].chars().count();
        text.truncate(end);
        text.push_str(&format!("…[+{missing}]"));
    }
}

/// Makes every text of the record printable. Nearly always all are already.
pub(super) fn printable(members: &mut Map<String, Value>) {
    if !members.keys().all(|key| is_printable(key)) {
        let named = std::mem::take(members).into_iter();
        members.extend(named.map(|(key, value)| (printable_text(&key), value)));
    }
    members.values_mut().for_each(make_printable);
}

fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) if !is_printable(text) => *text = printable_text(text),
        Value::Array(items) => items.iter_mut().for_each(make_printable),
        Value::Object(members) => printable(members),
        _ => {}
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte < 0x7f) || !text.contains(steers)
}

/// JSON escapes the control characters below U+0020 by itself. Those that it leaves alone, and that still steer
/// a terminal or turn the direction of a line, become `<U+009B>`. (Tools also differ in how they write U+007F,
/// so without it every one finds the same canonical bytes.)
fn printable_text(text: &str) -> String {
    text.chars().fold(String::new(), |mut plain, c| {
        if steers(c) {
            plain.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else {
            plain.push(c);
        }
        plain
    })
}

const fn steers(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
