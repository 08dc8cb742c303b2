//! People: what they are asked, on whose behalf, and what the kernel says of those.

use jumpgate_api::Secret;

use super::Answer;
use crate::domain::consent::Tree;
use crate::domain::identity::Identity;
use crate::domain::name::ProfileName;

/// How to ask a person, or the program that stands in for one. Dropping an answer takes the question back: what was
/// started for it is ended.
pub trait Prompter: Send + Sync {
    /// Whether a person can be asked from here on behalf of this caller, on a screen or on the caller's terminal.
    fn reaches(&self, errand: &Errand) -> bool;

    /// A code of the identity's MFA device.
    fn mfa_code<'a>(
        &'a self,
        asking: Asking<'a>,
    ) -> Answer<'a, Result<Secret<String>, PromptError>>;

    /// The passphrase of a sealed identity.
    fn passphrase<'a>(
        &'a self,
        asking: Asking<'a>,
    ) -> Answer<'a, Result<Secret<String>, PromptError>>;

    /// A person's yes; a no is [`PromptError::Declined`].
    fn consent<'a>(
        &'a self,
        wish: &'a Wish,
        errand: &'a Errand,
    ) -> Answer<'a, Result<(), PromptError>>;
}

/// What is asked for an identity.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The identity.
    pub identity: &'a Identity,
    /// On whose behalf. Absent where the person sits at a terminal and is asked there: then only programs are.
    pub errand: Option<&'a Errand>,
    /// What was wrong with the answer before.
    pub remark: Option<&'static str>,
}

/// On whose behalf a person is asked. What the caller could have chosen is shown escaped and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The profile that is asked for, if it is about one.
    pub profile: Option<ProfileName>,
    /// Its process id.
    pub pid: u32,
    /// Its executable, as the kernel states it.
    pub executable: Option<String>,
    /// Where it comes from.
    pub kin: Kin,
    /// How many others wait for the same answer.
    pub others: usize,
}

/// What a person says yes or no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The account, and its name in the configuration.
    pub account: String,
    /// The role's path and name.
    pub role: String,
    /// How long a session may live, seconds.
    pub seconds: u32,
    /// What narrows the role, one each.
    pub scope: Vec<String>,
    /// The caller's reason.
    pub reason: Option<String>,
    /// The caller's ticket.
    pub ticket: Option<String>,
}

/// The processes of this machine.
pub trait Processes: Send + Sync {
    /// Where a process comes from, as far as the kernel says.
    fn kin(&self, pid: u32) -> Kin;
}

/// Where a process comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kin {
    /// The tree of processes that it belongs to.
    pub tree: Option<Tree>,
    /// Its controlling terminal, such as `/dev/pts/3`.
    pub terminal: Option<String>,
    /// The process that started it, and its executable.
    pub parent: Option<(u32, String)>,
}

/// Why nothing was answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// There is nothing to ask with here; a person has to come to us.
    #[error("nobody can be asked from here")]
    NoPrompter,
    /// A person said no.
    #[error("the question was declined")]
    Declined,
    /// No answer in time.
    #[error("nobody answered in time")]
    TimedOut,
    /// All who waited for the answer have gone: the question was taken back.
    #[error("the question was taken back")]
    Withdrawn,
    /// The program failed.
    #[error("{0}")]
    Failed(String),
}
