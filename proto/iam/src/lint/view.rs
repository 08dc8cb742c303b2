//! A policy as its rules read it: statements out of tokens, each value with its place. Nothing is
//! refused here; what is of a wrong type is not seen, and the grammar has said so already.

use crate::json::{Member, Node, Position, Value};

/// A text and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) at: Position,
}

/// Which statement, for whoever reads a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementName {
    /// From 1, in the order of the document.
    pub number: usize,
    /// Its Sid, as it is written.
    pub sid: Option<String>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug)]
pub(super) enum Selection<'a> {
    /// These.
    Listed(Vec<Text<'a>>),
    /// All but these.
    Excluded(Vec<Text<'a>>),
}

impl<'a> Selection<'a> {
    pub(super) fn listed(&self) -> &[Text<'a>] {
        match self {
            Self::Listed(texts) => texts,
            Self::Excluded(_) => &[],
        }
    }

    pub(super) fn texts(&self) -> &[Text<'a>] {
        match self {
            Self::Listed(texts) | Self::Excluded(texts) => texts,
        }
    }
}

/// One principal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Principal<'a> {
    /// `AWS`, `Federated`, …; `*` for the plain `"*"`.
    pub(super) kind: &'a str,
    pub(super) name: Text<'a>,
}

/// One operator with one key.
#[derive(Debug)]
pub(super) struct Condition<'a> {
    /// As it is written.
    pub(super) written: &'a str,
    /// In lower case, without quantifier and `IfExists`.
    pub(super) operator: String,
    pub(super) for_all: bool,
    pub(super) if_exists: bool,
    /// As it is written.
    pub(super) key: Text<'a>,
    pub(super) values: Vec<Text<'a>>,
}

impl Condition<'_> {
    /// Without its case, as IAM compares it.
    pub(super) fn is_key(&self, key: &str) -> bool {
        self.key.text.eq_ignore_ascii_case(key)
    }

    /// What follows `prefix` in the key.
    pub(super) fn key_after(&self, prefix: &str) -> Option<&str> {
        let (head, rest) = self.key.text.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(rest)
    }

    fn is_null(&self, value: &str) -> bool {
        self.operator == "null" && self.values.iter().all(|text| text.text == value)
    }

    /// Whether it holds only for requests that have the key.
    pub(super) fn demands_its_key(&self) -> bool {
        let lenient = self.for_all || self.if_exists || self.operator.contains("not");
        self.is_null("false") || self.operator != "null" && !lenient
    }
}

/// A statement.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) name: StatementName,
    pub(super) at: Position,
    pub(super) allows: bool,
    pub(super) denies: bool,
    pub(super) actions: Selection<'a>,
    pub(super) resources: Selection<'a>,
    /// Whether it has `NotPrincipal`, which [`Self::principals`] leaves out.
    pub(super) not_principal: Option<Position>,
    pub(super) principals: Vec<Principal<'a>>,
    pub(super) conditions: Vec<Condition<'a>>,
    /// As it is written.
    pub(super) node: &'a Node,
}

/// A whole policy.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) root: &'a Node,
    pub(super) statements: Vec<Statement<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn of(root: &'a Node) -> Self {
        let nodes = named(&root.value, "Statement").flat_map(|member| one_or_more(&member.value));
        let statements = nodes
            .enumerate()
            .map(|(index, node)| statement(index + 1, node))
            .collect();
        Self { root, statements }
    }

    /// Those that allow something.
    pub(super) fn allows(&self) -> impl Iterator<Item = &Statement<'a>> {
        self.statements.iter().filter(|statement| statement.allows)
    }
}

fn statement(number: usize, node: &Node) -> Statement<'_> {
    let value = &node.value;
    let texts = |key: &'static str| -> Vec<Text<'_>> {
        named(value, key)
            .flat_map(|member| texts(&member.value))
            .collect()
    };
    let selection = |listed: &'static str, excluded: &'static str| match texts(excluded) {
        none if none.is_empty() => Selection::Listed(texts(listed)),
        some => Selection::Excluded(some),
    };
    // Of a repeated Effect, IAM's documentation says, the last one counts.
    let effect = texts("Effect").last().map(|effect| effect.text);
    let sid = texts("Sid").last().map(|sid| sid.text.to_owned());
    Statement {
        name: StatementName { number, sid },
        at: node.position,
        allows: effect == Some("Allow"),
        denies: effect == Some("Deny"),
        actions: selection("Action", "NotAction"),
        resources: selection("Resource", "NotResource"),
        not_principal: named(value, "NotPrincipal")
            .map(|member| member.key_position)
            .next(),
        principals: named(value, "Principal")
            .flat_map(|member| principals(&member.value))
            .collect(),
        conditions: named(value, "Condition")
            .flat_map(|member| member.value.value.as_object().unwrap_or_default())
            .flat_map(conditions)
            .collect(),
        node,
    }
}

/// The members with this key; more than one if it is repeated.
pub(super) fn named<'a>(
    value: &'a Value,
    key: &'static str,
) -> impl Iterator<Item = &'a Member> + use<'a> {
    let members = value.as_object().unwrap_or_default().iter();
    members.filter(move |member| member.key == key)
}

fn one_or_more(node: &Node) -> &[Node] {
    match &node.value {
        Value::Array(elements) => elements,
        _ => std::slice::from_ref(node),
    }
}

fn texts(node: &Node) -> impl Iterator<Item = Text<'_>> {
    one_or_more(node).iter().filter_map(|node| {
        let text = match &node.value {
            Value::String(text) | Value::Number(text) => text,
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            _ => return None,
        };
        let at = node.position;
        Some(Text { text, at })
    })
}

fn principals(node: &Node) -> Vec<Principal<'_>> {
    let Some(members) = node.value.as_object() else {
        let whole = texts(node).filter(|text| text.text == "*");
        return whole.map(|name| Principal { kind: "*", name }).collect();
    };
    let pairs = members.iter().flat_map(|member| {
        let kind = member.key.as_str();
        texts(&member.value).map(move |name| Principal { kind, name })
    });
    pairs.collect()
}

fn conditions(operator: &Member) -> Vec<Condition<'_>> {
    let lower = operator.key.to_ascii_lowercase();
    let (quantifier, rest) = lower.split_once(':').unwrap_or(("", &lower));
    let name = rest.strip_suffix("ifexists");
    let keys = operator.value.value.as_object().unwrap_or_default();
    keys.iter()
        .map(|key| Condition {
            written: &operator.key,
            operator: name.unwrap_or(rest).to_owned(),
            for_all: quantifier == "forallvalues",
            if_exists: name.is_some(),
            key: Text {
                text: &key.key,
                at: key.key_position,
            },
            values: texts(&key.value).collect(),
        })
        .collect()
}
