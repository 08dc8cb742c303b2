//! What sessions may do to a bucket, and what a later change takes from them.

use crate::client::Draft;
use crate::lab::{Lab, OPEN, allow, deny};
use jumpgate_tests::sts::{Bucket, rfc3339};

const SESSION: &str = "arn:aws:sts::222222222222:assumed-role/Open/alice";

fn bucket_policy(policy: &str, principal: &str) -> String {
    policy.replace(
        "PRINCIPAL",
        &format!(r#""Principal":{{"AWS":"{principal}"}}"#),
    )
}

pub(crate) fn bucket_policy_denies(lab: Lab) -> String {
    let policy = deny(r#"PRINCIPAL,"Action":"s3:GetObject","Resource":"arn:aws:s3:::demo/*""#);
    let policy = bucket_policy(&policy, OPEN);
    let bench = lab.start(|world| world.buckets[0].policy = Some(policy));
    bench.reads(&bench.session(&[]))
}

/// A foreign bucket that says nothing about the role.
pub(crate) fn foreign_bucket(lab: Lab) -> String {
    let foreign = Bucket::new("333333333333", "foreign").object("hello.txt", "hello");
    let bench = lab.start(|world| world.buckets.push(foreign));
    bench
        .s3(&bench.session(&[]), "GET", "/foreign/hello.txt", b"")
        .outcome()
}

/// The session policy allows no reading; the bucket names the session itself.
pub(crate) fn session_named_by_the_bucket(lab: Lab) -> String {
    let policy = allow(r#"PRINCIPAL,"Action":"s3:GetObject","Resource":"arn:aws:s3:::demo/*""#);
    let bench = lab.plain();
    let listing = allow(r#""Action":"s3:ListBucket","Resource":"*""#);
    let keys = bench.session(&[("Policy", &listing)]);
    assert_eq!(bench.reads(&keys), "403 AccessDenied");
    bench
        .double
        .change_bucket("demo", |b| b.policy = Some(bucket_policy(&policy, OPEN)));
    assert_eq!(
        bench.reads(&keys),
        "403 AccessDenied",
        "the role's ARN is cut by the session policy"
    );
    bench
        .double
        .change_bucket("demo", |b| b.policy = Some(bucket_policy(&policy, SESSION)));
    bench.reads(&keys)
}

pub(crate) fn wrong_checksum(lab: Lab) -> String {
    let bench = lab.plain();
    let draft = Draft::new("PUT", "/demo/new.txt", "s3")
        .header("x-amz-checksum-crc32", "AAAAAA==")
        .body(b"new");
    bench.send(&draft, Some(&bench.session(&[]))).outcome()
}

/// AWSRevokeOlderSessions: deny everything to tokens from before a time.
pub(crate) fn older_sessions_revoked(lab: Lab) -> String {
    let bench = lab.plain();
    let keys = bench.session(&[]);
    assert_eq!(bench.reads(&keys), "200");
    let later = rfc3339(bench.double.now() + 3600);
    let condition = format!(r#""Condition":{{"DateLessThan":{{"aws:TokenIssueTime":"{later}"}}}}"#);
    let denial = deny(&format!(r#""Action":"*","Resource":"*",{condition}"#));
    bench.double.attach_role_policy(OPEN, &denial);
    bench.reads(&keys)
}

/// A deny for one session, by role id and session name.
pub(crate) fn one_session_revoked(lab: Lab) -> String {
    let bench = lab.plain();
    let reply = bench.assume(&bench.alice(), OPEN, &[]);
    let (keys, id) = (reply.keys(), reply.field("AssumedRoleId").unwrap());
    let condition = format!(r#""Condition":{{"StringEquals":{{"aws:userid":"{id}"}}}}"#);
    let denial = deny(&format!(r#""Action":"*","Resource":"*",{condition}"#));
    bench.double.attach_role_policy(OPEN, &denial);
    let other = bench.session(&[("RoleSessionName", "other")]);
    assert_eq!(
        bench.reads(&other),
        "200",
        "another session of the role goes on"
    );
    bench.reads(&keys)
}

pub(crate) fn denied_later(lab: Lab) -> String {
    let bench = lab.plain();
    let keys = bench.session(&[]);
    assert_eq!(bench.reads(&keys), "200");
    bench
        .double
        .attach_role_policy(OPEN, &deny(r#""Action":"*","Resource":"*""#));
    bench.reads(&keys)
}
