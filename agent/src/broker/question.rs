//! The question put to AWS, as the session cache's key: long, and asked again and again, so it is hashed once.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use crate::domain::assume_role::AssumeRole;

/// The secret of the hashes: nobody can choose questions that fall together.
static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A question and its hash. Clones are one in memory and told to be the same by that.
#[derive(Debug, Clone)]
pub struct Question {
    asked: Arc<AssumeRole>,
    hash: u64,
}

impl From<AssumeRole> for Question {
    fn from(asked: AssumeRole) -> Self {
        Self {
            hash: SECRET.hash_one(&asked),
            asked: Arc::new(asked),
        }
    }
}

impl Deref for Question {
    type Target = AssumeRole;

    fn deref(&self) -> &AssumeRole {
        &self.asked
    }
}

impl PartialEq for Question {
    /// An `Arc` of what equals itself is compared by its place first.
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.asked == other.asked
    }
}

impl Eq for Question {}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use super::*;
    use crate::domain::grant::decide;
    use crate::domain::samples::{
        ask, duration, identity, peer, policy, profile, settings, surroundings,
    };
    use crate::domain::scope::compose;

    fn question(name: &str) -> AssumeRole {
        let settings = settings(vec![identity()], vec![profile(name)]);
        let grant = decide(&settings, &peer(), &ask(name)).unwrap();
        compose(&grant, &identity(), &surroundings()).unwrap()
    }

    #[test]
    fn a_question_is_found_under_its_equal_and_no_other() {
        let kept = HashMap::from([(Question::from(question("dev")), ())]);
        assert!(kept.contains_key(&Question::from(question("dev"))));
        let mut longer = question("dev");
        longer.last.duration = duration(1_234);
        let mut narrower = question("dev");
        narrower.last.policy = Some(policy("s3:ListAllMyBuckets"));
        for other in [longer, narrower] {
            assert!(!kept.contains_key(&Question::from(other.clone())));
            // Nor where two should have the same hash.
            let hash = kept.keys().next().unwrap().hash;
            let asked = Arc::new(other);
            assert!(!kept.contains_key(&Question { asked, hash }));
        }
    }
}
