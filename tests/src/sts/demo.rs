//! The world of the demo and of the stand-alone executable: a jump account with alice, a target
//! account with the role Developer, a bucket. Its secrets are printed here, hence worthless.

use super::entities::{Bucket, Role, User};
use super::world::World;

/// The jump account.
pub const JUMP_ACCOUNT: &str = "111111111111";
/// The target account.
pub const TARGET_ACCOUNT: &str = "222222222222";
/// Alice's virtual MFA device.
pub const MFA_SERIAL: &str = "arn:aws:iam::111111111111:mfa/alice";
/// The role that alice may assume.
pub const ROLE_ARN: &str = "arn:aws:iam::222222222222:role/Developer";

const ALICE: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
 "Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],
 "Resource":"arn:aws:iam::222222222222:role/*"}}"#;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Sid":"AssumeWithMfa","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"},
  "Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}},
 {"Sid":"TagAndSourceIdentity","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"},
  "Action":["sts:TagSession","sts:SetSourceIdentity"]}]}"#;

const DEVELOPER: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",
 "Resource":["arn:aws:s3:::demo","arn:aws:s3:::demo/*"]}}"#;

impl World {
    /// Account 111111111111 with user `alice` (one key, one virtual MFA device); account
    /// 222222222222 with role `Developer` (trusts alice with MFA; tags and source identity allowed;
    /// `s3:*` on the bucket; 12 h at most); bucket `demo` with the object `hello.txt`.
    pub fn demo() -> World {
        World::new()
            .user(
                User::new(JUMP_ACCOUNT, "alice")
                    .key(
                        "AKIAJUMPGATEDEMO2345",
                        "worthless/demo/secret/of/the/sts/double0",
                    )
                    .mfa(MFA_SERIAL, "JUMPGATEDEMOSEEDJUMPGATEDEMOSEED")
                    .policy(ALICE),
            )
            .role(
                Role::new(TARGET_ACCOUNT, "Developer", TRUST)
                    .policy(DEVELOPER)
                    .max_session(43_200),
            )
            .bucket(
                Bucket::new(TARGET_ACCOUNT, "demo").object("hello.txt", "hello from the double\n"),
            )
    }
}
