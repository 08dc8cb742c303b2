//! Random policies and requests from a small alphabet, in which overlap is likely, for the law of
//! narrowing. Part of this crate's tests and, by path, of the tests against another evaluator; so it
//! names nothing but std.

/// One case: what a profile and an ask have, and what is requested.
pub(crate) struct Case {
    /// The profile's inline session policy.
    pub(crate) inline: Option<String>,
    /// The profile's managed session policies.
    pub(crate) managed: Vec<String>,
    /// The ask's policy.
    pub(crate) ask: String,
    /// Requests.
    pub(crate) requests: Vec<Question>,
}

/// A request and all its condition keys.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) context: Vec<(&'static str, Vec<&'static str>)>,
}

const ACTIONS: [&str; 5] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:GetAcl",
    "sqs:SendMessage",
    "iam:GetUser",
];
const ACTION_PATTERNS: [&str; 12] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:GetAcl",
    "sqs:SendMessage",
    "iam:GetUser",
    "S3:getobject",
    "s3:Get*",
    "s3:?etObject",
    "s3:*",
    "*:Get*",
    "sqs:*",
    "*",
];
const RESOURCES: [&str; 6] = [
    "arn:aws:s3:::a",
    "arn:aws:s3:::b",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::A",
    "arn:aws:s3:::*",
    "*",
];
const RESOURCE_PATTERNS: [&str; 11] = [
    "*",
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::b",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::?",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::*x",
    "arn:aws:s3:::${*}",
    "arn:aws:s3:::${aws:PrincipalTag/t}",
    "arn:aws:s3:::${aws:userid}*",
];
const KEYS: [(&str, &[&str]); 9] = [
    ("aws:PrincipalTag/t", &["a", "b", "A", "", "5"]),
    ("aws:SecureTransport", &["true", "false"]),
    ("aws:MultiFactorAuthAge", &["5", "10", "15"]),
    (
        "aws:CurrentTime",
        &["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "1780000000"],
    ),
    ("aws:SourceIp", &["10.0.0.1", "10.1.0.1", "::1"]),
    (
        "aws:PrincipalArn",
        &["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b:c"],
    ),
    ("aws:RequestTag/u", &["x", "X"]),
    ("aws:TagKeys", &["u", "v"]),
    // Every signed request has it.
    ("aws:userid", &["a", "b", "*"]),
];
/// Operator, key, values.
const CONDITIONS: [(&str, &str, &str); 37] = [
    ("StringEquals", "aws:PrincipalTag/t", r#""a""#),
    ("StringEquals", "AWS:principaltag/t", r#"["a","b"]"#),
    ("StringEquals", "aws:PrincipalTag/t", r#""${*}""#),
    ("StringNotEquals", "aws:PrincipalTag/t", r#"["a","5"]"#),
    ("StringNotEquals", "aws:PrincipalTag/t", r#""b""#),
    ("StringNotEqualsIfExists", "aws:PrincipalTag/t", r#""a""#),
    ("StringEqualsIfExists", "aws:PrincipalTag/t", r#""a""#),
    ("StringEqualsIgnoreCase", "aws:PrincipalTag/t", r#""a""#),
    ("StringNotEqualsIgnoreCase", "aws:PrincipalTag/t", r#""A""#),
    ("StringLike", "aws:RequestTag/u", r#""?""#),
    ("StringNotLike", "aws:RequestTag/u", r#"["x*","*X"]"#),
    (
        "StringEquals",
        "aws:RequestTag/u",
        r#""${aws:PrincipalTag/t}""#,
    ),
    ("Bool", "aws:SecureTransport", "true"),
    ("Bool", "aws:SecureTransport", r#""false""#),
    ("BoolIfExists", "aws:SecureTransport", r#""true""#),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "10"),
    ("NumericLessThanEquals", "aws:MultiFactorAuthAge", r#""10""#),
    ("NumericGreaterThanIfExists", "aws:MultiFactorAuthAge", "5"),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "[5,15]"),
    ("NumericEquals", "aws:MultiFactorAuthAge", "[5,15]"),
    ("NumericNotEquals", "aws:MultiFactorAuthAge", "10"),
    ("NumericEqualsIfExists", "aws:MultiFactorAuthAge", "10"),
    ("NumericLessThan", "aws:PrincipalTag/t", "10"),
    (
        "DateLessThan",
        "aws:CurrentTime",
        r#""2026-03-01T00:00:00Z""#,
    ),
    (
        "DateGreaterThanEqualsIfExists",
        "aws:CurrentTime",
        r#""2026-06-01T02:00:00+02:00""#,
    ),
    ("IpAddress", "aws:SourceIp", r#"["10.0.0.0/16","::/64"]"#),
    ("NotIpAddress", "aws:SourceIp", r#""10.0.0.0/8""#),
    ("IpAddressIfExists", "aws:SourceIp", r#""10.0.0.1""#),
    ("ArnLike", "aws:PrincipalArn", r#""arn:aws:iam::*:role/a""#),
    (
        "ArnNotLike",
        "aws:PrincipalArn",
        r#"["arn:aws:iam::1:role/b*","arn:aws:iam::2:*"]"#,
    ),
    ("Null", "aws:RequestTag/u", "true"),
    ("Null", "aws:SourceIp", r#""false""#),
    ("ForAllValues:StringEquals", "aws:TagKeys", r#"["u"]"#),
    ("ForAnyValue:StringEquals", "aws:TagKeys", r#"["u","w"]"#),
    ("StringLike", "aws:PrincipalArn", r#""*:role/?""#),
    ("StringEquals", "aws:PrincipalTag/t", r#""${aws:userid}""#),
    ("StringNotLike", "aws:PrincipalTag/t", r#""${AWS:userid}*""#),
];

/// A stream of numbers that looks random: SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).expect("less than sides")
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

/// A case with some requests.
pub(crate) fn case(dice: &mut Dice, requests: usize) -> Case {
    let inline = (!dice.one_in(4)).then(|| policy(dice));
    let managed = match inline {
        Some(_) if !dice.one_in(3) => Vec::new(),
        _ => vec![policy(dice)],
    };
    Case {
        inline,
        managed,
        ask: policy(dice),
        requests: (0..requests).map(|_| question(dice)).collect(),
    }
}

/// A request from the alphabet of the policies.
pub(crate) fn question(dice: &mut Dice) -> Question {
    let mut context = Vec::new();
    for (key, values) in KEYS {
        if dice.one_in(3) && key != "aws:userid" {
            continue;
        }
        let mut all = vec![dice.pick(values)];
        if key == "aws:TagKeys" && dice.one_in(2) {
            all = values.to_vec();
        }
        context.push((key, all));
    }
    Question {
        action: dice.pick(&ACTIONS),
        resource: dice.pick(&RESOURCES),
        context,
    }
}

/// A policy of one to four statements.
pub(crate) fn policy(dice: &mut Dice) -> String {
    let count = 1 + dice.roll(4);
    let statements: Vec<String> = (0..count).map(|_| statement(dice)).collect();
    let statements = statements.join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn statement(dice: &mut Dice) -> String {
    let effect = if dice.one_in(5) { "Deny" } else { "Allow" };
    let not_action = if dice.one_in(9) { "Not" } else { "" };
    let not_resource = if dice.one_in(7) { "Not" } else { "" };
    let actions = list(dice, &ACTION_PATTERNS);
    let resources = list(dice, &RESOURCE_PATTERNS);
    let conditions = conditions(dice);
    format!(
        r#"{{"Effect":"{effect}","{not_action}Action":{actions},"{not_resource}Resource":{resources}{conditions}}}"#
    )
}

fn list(dice: &mut Dice, all: &[&str]) -> String {
    let count = 1 + dice.roll(2);
    let items: Vec<String> = (0..count)
        .map(|_| format!("{:?}", dice.pick(all)))
        .collect();
    format!("[{}]", items.join(","))
}

/// None, one, or two of different operators.
fn conditions(dice: &mut Dice) -> String {
    if !dice.one_in(3) {
        return String::new();
    }
    let (operator, key, values) = dice.pick(&CONDITIONS);
    let mut blocks = vec![format!(r#""{operator}":{{"{key}":{values}}}"#)];
    let (other, key, values) = dice.pick(&CONDITIONS);
    if dice.one_in(3) && other != operator {
        blocks.push(format!(r#""{other}":{{"{key}":{values}}}"#));
    }
    format!(r#","Condition":{{{}}}"#, blocks.join(","))
}
