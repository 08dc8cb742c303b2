//! Listings as a person sees them.

#![allow(clippy::unwrap_used)]

use super::*;

macro_rules! golden {
    ($name:literal) => {
        serde_json::from_str(include_str!(concat!(
            "../../../../proto/api/golden/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}

fn now() -> Timestamp {
    "2026-11-22T00:08:00Z".parse().unwrap()
}

#[test]
fn the_status_on_one_screen() {
    let status: Status = golden!("status");
    assert_eq!(
        super::status(&status, now()),
        "\
agent          version 0.1.0, pid 4242, up 61 s
configuration  /home/alice/.config/jumpgate/config.toml
journal        /home/alice/.local/state/jumpgate/journal, 7 records since the start, healthy
sts            3 calls, 1 failed
leases         2
note           profile deep: 12h is capped at 1h by role chaining

IDENTITY  KIND      STATE     UNLOCKED UNTIL                  MFA UNTIL                      KEY AGE
jump      iam-user  unlocked  2026-11-22T12:00:00Z (in 11 h)  2026-11-22T08:00:00Z (in 7 h)  8 min (retiring)

SESSION                     PROFILE  EXPIRES                           POLICY SIZE  TOKEN SIZE  ROLE
01KAN0000000000000000000S1  dev      2026-11-22T01:00:00Z (in 52 min)  12 %         912 bytes   \
arn:aws:iam::222222222222:role/Developer

ENDPOINT OF  KIND       ADDRESS                                               SERVE  STATE
dev          imds       http://127.0.0.1:4101                                 build  \
NOT OPEN: port 4101 of 127.0.0.1 is taken by another user (uid 65534)
dev          container  http://127.0.0.1:41234/v1/01KAN0000000000000000000L1  -      open
"
    );
}

#[test]
fn the_status_of_an_agent_in_trouble() {
    let mut status: Status = golden!("status");
    (status.locked, status.memory_locked, status.journal.healthy) = (true, false, false);
    status.config_error = Some("two errors\n".to_owned());
    (status.identities, status.sessions, status.endpoints) = (vec![], vec![], vec![]);
    let text = super::status(&status, now());
    assert!(text.starts_with(
        "agent          version 0.1.0, pid 4242, up 61 s, locked, memory may be swapped\n"
    ));
    assert!(
        text.contains("CANNOT BE WRITTEN") && text.contains("last reload    two errors\\n\n"),
        "{text}"
    );
    assert!(text.ends_with("by role chaining\n"), "{text}");
}

#[test]
fn tables() {
    let list: IdentityList = golden!("identity_list");
    assert_eq!(
        identities(&list, now()),
        "\
NAME  KIND      ACCOUNT       STORE    MFA DEVICE                           STATE   KEY AGE
jump  iam-user  111111111111  keyring  arn:aws:iam::111111111111:mfa/alice  locked  -
"
    );
    let list: ProfileList = golden!("profile_list");
    assert_eq!(
        profiles(&list),
        "\
NAME  IDENTITY  VIA  DURATION  SCOPED  ROLE
dev   jump      -    1h        yes     arn:aws:iam::222222222222:role/Developer
"
    );
    let list: LeaseList = golden!("lease_list");
    assert_eq!(
        leases(&list, now()),
        "\
LEASE                       PROFILE  INTERFACE  PID   PROGRAM                  ISSUED                EXPIRES
01KAN0000000000000000000L1  dev      process    4711  /usr/local/bin/jumpgate  2026-11-22T00:00:00Z  \
2026-11-22T01:00:00Z (in 52 min)
"
    );
}

#[test]
fn a_profile_with_everything_that_is_set() {
    let detail: ProfileDetail = golden!("profile_detail");
    assert_eq!(
        profile(&detail),
        "\
profile             dev
identity            jump
role                arn:aws:iam::222222222222:role/Developer
duration            1h
session name        {user}-{session}
region              ap-northeast-1
source identity     {user}
scope down          sts
preset              ssm (tag_values = develop, test)
policy              {\"Version\":\"2012-10-17\",\"Statement\":[]}
policy size         40 characters
policy arn          arn:aws:iam::aws:policy/job-function/ViewOnlyAccess
tag                 DoiTEnvironment = {account_id}
transitive tags     DoiTEnvironment
requires            ticket
may be narrowed by  policy, duration, tag:Ticket
only for            /usr/bin/terraform
only for            ancestor \"/opt/tool/bin/tool\": preset view-only, at most 15m
"
    );
}

#[test]
fn durations() {
    for (seconds, expected) in [(900, "15m"), (3600, "1h"), (5400, "90m"), (901, "901s")] {
        assert_eq!(duration(seconds), expected);
    }
}

#[test]
fn an_intact_journal_may_have_notes() {
    let mut journal: JournalReport = golden!("journal_report");
    journal.notes = std::mem::take(&mut journal.damage);
    let text = report(&journal);
    assert!(
        text.starts_with("41 records in 1 file, head abab"),
        "{text}"
    );
    assert!(text.ends_with(".jsonl:17: the hash does not fit the record\n"));
    assert!(text.contains(": intact\nnote: /home/alice/"), "{text}");
}
