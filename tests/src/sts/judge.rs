//! The double's policy evaluation on its own, for tests that hold another evaluator against it.

use super::context::Context;
use super::policy::{Policy, Purpose, Question};
use super::rules::Rules;

/// Policies of one layer, such as the session policies of one call: they add up, and a deny in any
/// of them denies.
#[derive(Debug)]
pub struct Judge {
    policies: Vec<Policy>,
    rules: Rules,
}

impl Judge {
    /// Reads policies without principals.
    ///
    /// # Errors
    /// What is wrong with the first that is not legal.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Judge, String> {
        let rules = Rules::default();
        let read = |text| Policy::parse(text, Purpose::Identity, &rules);
        let policies = texts.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Judge { policies, rules })
    }

    /// Whether they allow a request with exactly these condition keys.
    #[must_use]
    pub fn allows(&self, action: &str, resource: &str, keys: &[(&str, Vec<&str>)]) -> bool {
        let mut context = Context::default();
        for (key, values) in keys {
            context.set_all(key, values.iter().map(|value| (*value).to_owned()));
        }
        let question = Question {
            action,
            resource,
            context: &context,
            rules: &self.rules,
        };
        !self.policies.iter().any(|policy| policy.denies(question))
            && self.policies.iter().any(|policy| policy.allows(question))
    }
}
