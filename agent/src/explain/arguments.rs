//! What follows `--explain` on the agent's command line. The client writes it, so it has no short forms.

use super::ExplainError;

/// Most options of one run.
pub(crate) const MAX_OPTIONS: usize = 1_000;

/// What to explain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) profile: String,
    /// Absent with `matrix`.
    pub(crate) action: Option<String>,
    pub(crate) resource: Option<String>,
    /// The policies of the role itself.
    pub(crate) role_policies: Vec<String>,
    /// The service control policies of a level each, joined by commas.
    pub(crate) scps: Vec<String>,
    pub(crate) boundary: Option<String>,
    /// Documents of managed policies: ARN and file.
    pub(crate) managed: Vec<(String, String)>,
    /// Condition keys and their values.
    pub(crate) context: Vec<(String, String)>,
    /// What an ask brings.
    pub(crate) policy: Option<String>,
    /// The number of the rule of `peers` whose callers are meant.
    pub(crate) peer: Option<usize>,
    /// Actions with commas between, or a file with one a line.
    pub(crate) matrix: Option<String>,
    pub(crate) json: bool,
    /// The status says the answer.
    pub(crate) exit_code: bool,
}

impl Arguments {
    /// Reads them: options, `--`, profile, action, resource.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, ExplainError> {
        let mut parsed = Self::default();
        let mut words = words.iter().copied();
        for count in 0.. {
            let word = words.next().ok_or_else(|| usage("no profile is named"))?;
            match word {
                "--" => break,
                _ if count == MAX_OPTIONS => {
                    return Err(usage(&format!("at most {MAX_OPTIONS} options are taken")));
                }
                "--json" => parsed.json = true,
                "--exit-code" => parsed.exit_code = true,
                name => {
                    let value = words.next();
                    let value = value.ok_or_else(|| usage(&format!("{name} needs a value")))?;
                    parsed.option(name, value)?;
                }
            }
        }
        parsed.positional(&words.collect::<Vec<_>>())?;
        Ok(parsed)
    }

    fn option(&mut self, name: &str, value: &str) -> Result<(), ExplainError> {
        let text = value.to_owned();
        match name {
            "--role-policy" => self.role_policies.push(text),
            "--scp" => self.scps.push(text),
            "--boundary" => self.boundary = Some(text),
            "--policy" => self.policy = Some(text),
            "--peer" => {
                let number = value.parse();
                let expected = |_| usage("--peer NUMBER is expected, counted from 0");
                self.peer = Some(number.map_err(expected)?);
            }
            "--matrix" => self.matrix = Some(text),
            "--managed" => self.managed.push(pair(value, "--managed ARN=FILE")?),
            "--context" => self.context.push(pair(value, "--context KEY=VALUE")?),
            _ => return Err(usage("an option is not understood")),
        }
        Ok(())
    }

    fn positional(&mut self, words: &[&str]) -> Result<(), ExplainError> {
        let owned = |word: &str| Some(word.to_owned());
        (self.profile, self.action, self.resource) = match (words, &self.matrix) {
            ([profile], Some(_)) => ((*profile).to_owned(), None, None),
            ([profile, resource], Some(_)) => ((*profile).to_owned(), None, owned(resource)),
            ([profile, action, resource], None) => {
                ((*profile).to_owned(), owned(action), owned(resource))
            }
            (_, Some(_)) => return Err(usage("with --matrix, PROFILE [RESOURCE] is expected")),
            (_, None) => {
                let what = "PROFILE ACTION RESOURCE is expected; RESOURCE is an ARN, or '*' where the action has none";
                return Err(usage(what));
            }
        };
        Ok(())
    }
}

fn pair(text: &str, expected: &str) -> Result<(String, String), ExplainError> {
    let halves = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = halves.ok_or_else(|| usage(&format!("{expected} is expected")))?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) fn usage(what: &str) -> ExplainError {
    ExplainError::Usage(what.to_owned())
}
