//! Session policies that come with the agent: a profile or an ask names them instead of writing them.
//!
//! Each is a directory of `agent/presets`: `preset.json` says what it allows, which managed policies belong to it
//! and which parameters it takes; `policy.json` is its inline policy, with `<partition>` and its parameters as
//! placeholders; `cases.txt`, for the tests alone, is what must be allowed and denied. So a further preset is a
//! further directory and a line of `FILES`.

use std::collections::BTreeMap;

use jumpgate_iam::json::{Value, parse};
use jumpgate_iam::nearest::nearest;
use jumpgate_iam::{
    Excerpt, Partition, PolicyArn, PolicyArns, PolicyDocument, PolicyError, TagKey, TagValue,
};

/// Most values of one parameter.
pub const MAX_VALUES: usize = 16;

/// The placeholder of the role's partition.
const PARTITION: &str = "<partition>";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name,
            include_str!(concat!("../../presets/", $name, "/preset.json")),
            include_str!(concat!("../../presets/", $name, "/policy.json")))),*]
    };
}

/// Name, `preset.json` and `policy.json`.
const FILES: &[(&str, &str, &str)] = files![
    "deny-data",
    "power-no-iam",
    "ssm",
    "support",
    "support+diagnostics",
    "support+runbooks",
    "support-read",
    "view-only",
];

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// One tag key.
    TagKey,
    /// One to [`MAX_VALUES`] tag values, none empty.
    TagValues,
    /// The name of a document of Systems Manager.
    Document,
}

impl Takes {
    /// What is legal, in words.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::TagKey => format!("one tag key: 1 to 128 characters of {TAG_CHARACTERS}"),
            Self::TagValues => {
                format!(
                    "1 to {MAX_VALUES} tag values: 1 to 256 characters of {TAG_CHARACTERS} each"
                )
            }
            // API_StartSession, DocumentName, without its ARNs.
            Self::Document => {
                "one document's name: 3 to 128 characters of a-z A-Z 0-9 _ . -".into()
            }
        }
    }

    /// Whether these are legal. No legal value can end a string of JSON, and none has a wildcard or a variable.
    fn accepts(self, values: &[String]) -> bool {
        match (self, values) {
            (Self::TagKey, [key]) => TagKey::parse(key).is_ok(),
            (Self::TagValues, values) => {
                let legal = |value: &String| !value.is_empty() && TagValue::parse(value).is_ok();
                (1..=MAX_VALUES).contains(&values.len()) && values.iter().all(legal)
            }
            (Self::Document, [name]) => {
                let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
                (3..=128).contains(&name.len()) && name.bytes().all(legal)
            }
            _ => false,
        }
    }
}

/// What tags are made of, without what a policy has no letters for.
const TAG_CHARACTERS: &str = "letters, digits, spaces and _ . : / = + - @, up to U+00FF";

/// A parameter of a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as the configuration has it.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// What it takes.
    pub takes: Takes,
    /// What it is where it is not given.
    pub default: Option<String>,
}

/// A preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it allows, in a sentence.
    pub allows: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    arns: Vec<String>,
    policy: &'static str,
}

/// The parameters that are given, by name.
pub type Given = BTreeMap<String, Vec<String>>;

/// The session policies of one call. AWS adds them up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPolicies {
    /// The inline policy.
    pub inline: Option<PolicyDocument>,
    /// The managed policies.
    pub arns: PolicyArns,
    /// The preset that they come from.
    pub preset: Option<Chosen>,
}

/// A preset with its parameters, as a profile or an ask names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name.
    pub name: &'static str,
    /// All its parameters, those by default too.
    pub parameters: Given,
}

/// Why a preset cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// There is none of this name.
    #[error("no preset is called {name}{}", did_you_mean(.nearest))]
    Unknown {
        /// The name.
        name: Excerpt,
        /// The one that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A parameter that must be given is not.
    #[error("preset {preset} needs {parameter}")]
    Missing {
        /// The preset.
        preset: &'static str,
        /// The parameter.
        parameter: String,
        /// What it takes.
        takes: Takes,
    },
    /// A parameter with values that it does not take.
    #[error("preset {preset} takes no such {parameter}")]
    Illegal {
        /// The preset.
        preset: &'static str,
        /// The parameter.
        parameter: String,
        /// What it takes.
        takes: Takes,
    },
    /// A parameter has characters that no policy has.
    #[error("preset {preset} with these parameters is no policy: {error}")]
    Policy {
        /// The preset.
        preset: &'static str,
        /// What is wrong with it.
        error: PolicyError,
    },
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, ..)| *name)
}

impl Preset {
    /// The preset of that name.
    ///
    /// # Errors
    /// [`PresetError::Unknown`] with the nearest name.
    pub fn named(name: &str) -> Result<Self, PresetError> {
        let found = FILES.iter().find(|(known, ..)| *known == name);
        let (name, about, policy) = found.ok_or_else(|| {
            let known: Vec<&'static str> = names().collect();
            PresetError::Unknown {
                name: Excerpt::of(name),
                nearest: nearest(name, &known),
            }
        })?;
        Ok(read(name, about, policy).expect("a test reads every preset"))
    }

    /// All presets in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        names().filter_map(|name| Self::named(name).ok())
    }

    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    /// Whether these values are legal for a parameter.
    ///
    /// # Errors
    /// [`PresetError::Illegal`].
    pub fn check(&self, parameter: &Parameter, values: &[String]) -> Result<(), PresetError> {
        let legal = parameter.takes.accepts(values);
        legal.then_some(()).ok_or_else(|| PresetError::Illegal {
            preset: self.name,
            parameter: parameter.name.clone(),
            takes: parameter.takes,
        })
    }

    /// Every parameter that must be given and is not.
    pub fn missing(&self, given: &Given) -> impl Iterator<Item = PresetError> {
        let missing = |p: &&Parameter| p.default.is_none() && !given.contains_key(p.name.as_str());
        self.parameters
            .iter()
            .filter(missing)
            .map(|parameter| PresetError::Missing {
                preset: self.name,
                parameter: parameter.name.clone(),
                takes: parameter.takes,
            })
    }

    /// Its policies for a role of this partition. Names in `given` that are no parameters are overlooked.
    ///
    /// # Errors
    /// A parameter that is missing or not legal.
    pub fn policies(
        &self,
        partition: Partition,
        given: &Given,
    ) -> Result<SessionPolicies, PresetError> {
        if let Some(missing) = self.missing(given).next() {
            return Err(missing);
        }
        let mut policy = self.policy.replace(PARTITION, partition.as_str());
        let mut parameters = Given::new();
        for parameter in &self.parameters {
            let default = || parameter.default.iter().cloned().collect();
            let values = given
                .get(&parameter.name)
                .map_or_else(default, Clone::clone);
            self.check(parameter, &values)?;
            policy = policy.replace(&format!("<{}>", parameter.name), &values.join("\",\""));
            parameters.insert(parameter.name.clone(), values);
        }
        let inline = PolicyDocument::parse(&policy).map_err(|error| PresetError::Policy {
            preset: self.name,
            error,
        })?;
        Ok(SessionPolicies {
            inline: Some(inline),
            arns: self.arns(partition),
            preset: Some(Chosen {
                name: self.name,
                parameters,
            }),
        })
    }

    fn arns(&self, partition: Partition) -> PolicyArns {
        let arns = self
            .arns
            .iter()
            .filter_map(|text| PolicyArn::parse(&text.replace(PARTITION, partition.as_str())).ok());
        PolicyArns::new(arns.collect()).unwrap_or_default()
    }

    /// Its managed policies and its inline policy as they are shown: with the placeholders of its parameters.
    #[must_use]
    pub fn shown(&self, partition: Partition) -> (PolicyArns, String) {
        let policy = self.policy.replace(PARTITION, partition.as_str());
        (self.arns(partition), policy)
    }
}

fn read(name: &'static str, about: &str, policy: &'static str) -> Option<Preset> {
    let about = parse(about).ok()?.value;
    let text = |key: &str| Some(about.member(key)?.value.as_str()?.to_owned());
    let arns = about.member("policy_arns")?.value.as_array()?;
    let arns = arns.iter().map(|arn| arn.value.as_str().map(str::to_owned));
    let parameters = about.member("parameters")?.value.as_object()?;
    let parameters = parameters
        .iter()
        .map(|member| parameter(&member.key, &member.value.value));
    Some(Preset {
        name,
        allows: text("allows")?,
        parameters: parameters.collect::<Option<_>>()?,
        arns: arns.collect::<Option<_>>()?,
        policy,
    })
}

fn parameter(name: &str, about: &Value) -> Option<Parameter> {
    let text = |key: &str| about.member(key)?.value.as_str();
    Some(Parameter {
        name: name.to_owned(),
        about: text("about")?.to_owned(),
        takes: match text("takes")? {
            "tag-key" => Takes::TagKey,
            "tag-values" => Takes::TagValues,
            "document" => Takes::Document,
            _ => return None,
        },
        default: text("default").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests;
