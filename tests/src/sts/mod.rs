//! A strict double of AWS STS, with a tiny S3 beside it, on a loopback port.
//!
//! It speaks the Query protocol and S3's REST as `aws-sdk-sts`, botocore and curl do, recomputes
//! every signature, evaluates every policy, and refuses whatever AWS documents that it refuses. Each
//! rule has a name ([`Rule`]) and can be taken out, so that a test can show that it is in force.
//! It shares no code with the agent.
//!
//! ```no_run
//! use jumpgate_tests::sts::{Fault, StsDouble, When, World};
//!
//! let double = StsDouble::start(World::demo()).expect("the world is sound");
//! double.inject(Fault::Throttling, When::call("AssumeRole").times(2));
//! println!("{} {}", double.url(), double.count("AssumeRole"));
//! ```
//!
//! Where to look: [`World`] is what exists; `dispatch` takes a request from the wire to the record;
//! `authenticate` and `sigv4` say who signed it; `query_api` leads to the actions, one file each;
//! `services` answers for the JSON services that sessions are tried on;
//! `authorize`, `policy`, `condition` and `pattern` decide what is allowed.

mod access_keys;
mod assume_role;
mod authenticate;
mod authorize;
mod bytes;
mod call;
mod checksum;
mod chunked;
mod clock;
mod condition;
mod context;
mod demo;
mod dispatch;
mod double;
mod entities;
mod faults;
mod federation_token;
mod http;
mod identity;
mod json;
mod judge;
mod managed;
mod mfa;
mod organization;
mod packed;
mod pattern;
mod policy;
mod principal;
mod query;
mod query_api;
mod record;
mod refusal;
mod rules;
mod s3;
mod scoped_credentials;
mod server;
mod services;
mod session_policy;
mod session_token;
mod sigv4;
mod state;
mod tags;
#[cfg(test)]
mod tests;
pub mod totp;
mod world;
mod xml;

pub use clock::{basic, rfc3339};
pub use demo::{JUMP_ACCOUNT, MFA_SERIAL, ROLE_ARN, TARGET_ACCOUNT};
pub use double::StsDouble;
pub use entities::{AccessKey, Bucket, Instance, ManagedPolicy, MfaDevice, Role, User};
pub use faults::{Fault, When};
pub use judge::Judge;
pub use managed::text as managed_policy;
pub use organization::Account;
pub use packed::{PACKED_MAX, TOKEN_MAX};
pub use record::{Event, HIDDEN, Issued};
pub use rules::{Rule, Rules};
pub use world::{World, WorldError};
