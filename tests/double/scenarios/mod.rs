//! One scenario for each rule: a call that comes out as the rule says, and differently without it.

pub(crate) mod assume_role;
pub(crate) mod conditions;
pub(crate) mod credentials;
pub(crate) mod iam;
pub(crate) mod organization;
pub(crate) mod permissions;
pub(crate) mod scoped;
pub(crate) mod services;
pub(crate) mod session_policies;
pub(crate) mod signature;
pub(crate) mod tags;
