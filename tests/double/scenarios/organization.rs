//! Service control policies: who is limited, and by which levels.

use crate::lab::{Bench, Lab, allow, deny};
use jumpgate_tests::sts::Account;

const ALL: &str = r#""Action":"*","Resource":"*""#;

fn reads_in(lab: Lab, account: Account) -> String {
    let bench: Bench = lab.start(|world| world.accounts.push(account));
    bench.reads(&bench.session(&[]))
}

fn without_reading(id: &str) -> Account {
    let reading = deny(r#""Action":"s3:GetObject","Resource":"*""#);
    Account::new(id).level(&[&allow(ALL), &reading])
}

pub(crate) fn account_may_not_read(lab: Lab) -> String {
    let others = without_reading("111111111111");
    assert_eq!(
        reads_in(lab, others),
        "200",
        "the account of the user who assumed the role limits its own principals only"
    );
    reads_in(lab, without_reading("222222222222"))
}

pub(crate) fn one_level_leaves_reading_out(lab: Lab) -> String {
    let listing = allow(r#""Action":"s3:ListBucket","Resource":"*""#);
    let account = Account::new("222222222222");
    reads_in(lab, account.level(&[&allow(ALL)]).level(&[&listing]))
}

pub(crate) fn management_account(lab: Lab) -> String {
    let account = Account {
        management: true,
        ..without_reading("222222222222")
    };
    reads_in(lab, account)
}
