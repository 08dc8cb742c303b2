//! Tests of ARNs and what they are made of: every partition, every limit at its edge.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{
    AccountId, Arn, ArnError, CallerArn, MfaSerial, Partition, PolicyArn, Region, RoleArn, UserArn,
};
use crate::RoleSessionName;

const ACCOUNT: &str = "012345678901";

fn account() -> AccountId {
    AccountId::parse(ACCOUNT).unwrap()
}

#[test]
fn every_partition_has_a_name_a_suffix_and_a_region_of_its_own() {
    let expected = [
        ("aws", "sts.us-east-1.amazonaws.com"),
        ("aws-cn", "sts.cn-northwest-1.amazonaws.com.cn"),
        ("aws-us-gov", "sts.us-gov-west-1.amazonaws.com"),
        ("aws-iso", "sts.us-iso-east-1.c2s.ic.gov"),
        ("aws-iso-b", "sts.us-isob-east-1.sc2s.sgov.gov"),
        ("aws-iso-e", "sts.eu-isoe-west-1.cloud.adc-e.uk"),
        ("aws-iso-f", "sts.us-isof-south-1.csp.hci.ic.gov"),
        ("aws-eusc", "sts.eusc-de-east-1.amazonaws.eu"),
    ];
    for (partition, (name, host)) in Partition::ALL.into_iter().zip(expected) {
        let region = partition.default_region();
        assert_eq!(
            (partition.as_str(), region.sts_host().as_str()),
            (name, host)
        );
        assert_eq!(Partition::parse(name), Ok(partition));
        assert_eq!(region.partition(), partition);
        assert_eq!(Region::parse(region.as_str()), Ok(region));
    }
    for text in ["", "AWS", "aws-", "aws-uk", "aws ", "amazon"] {
        assert!(
            matches!(Partition::parse(text), Err(ArnError::Partition { .. })),
            "{text}"
        );
    }
}

#[test]
fn regions_belong_to_partitions_by_prefix() {
    for (region, partition) in [
        ("us-east-1", Partition::Aws),
        ("ap-southeast-7", Partition::Aws),
        ("eu-west-3", Partition::Aws),
        ("zz-new-12", Partition::Aws),
        ("cn-north-1", Partition::AwsCn),
        ("us-gov-east-1", Partition::AwsUsGov),
        ("us-iso-west-1", Partition::AwsIso),
        ("us-isob-east-1", Partition::AwsIsoB),
        ("eu-isoe-west-1", Partition::AwsIsoE),
        ("us-isof-east-1", Partition::AwsIsoF),
        ("eu-isof-east-1", Partition::AwsIsoF),
        ("eusc-de-east-1", Partition::AwsEusc),
    ] {
        assert_eq!(
            Region::parse(region).unwrap().partition(),
            partition,
            "{region}"
        );
    }
}

#[test]
fn a_region_has_its_shape() {
    let longest = format!("us-{}-1", "a".repeat(27));
    assert_eq!(longest.len(), Region::MAX_CHARACTERS);
    for text in ["us-east-1", "ab-c-0", "mx-central-10", &longest] {
        assert!(Region::parse(text).is_ok(), "{text}");
    }
    let too_long = format!("us-{}-1", "a".repeat(28));
    for text in [
        "",
        "-",
        "--",
        "us",
        "us-1",
        "us-east",
        "us-east-",
        "us--1",
        "us--east-1",
        "-east-1",
        "u-east-1",
        "US-EAST-1",
        "us-east-1a",
        "us_east-1",
        "us-east-1.evil.example",
        "us-east-1 ",
        "us-e4st-1",
        "aws-global",
        "us-éast-1",
        "us-east-１",
        &too_long,
    ] {
        assert!(
            matches!(Region::parse(text), Err(ArnError::Region { .. })),
            "{text}"
        );
    }
}

#[test]
fn an_account_id_is_12_ascii_digits() {
    assert_eq!(account().as_str(), ACCOUNT);
    for text in [
        "",
        "12345678901",
        "1234567890123",
        "12345678901a",
        "1234-5678-9012",
        " 12345678901",
        "٣٣٣٣٣٣",
    ] {
        assert!(
            matches!(AccountId::parse(text), Err(ArnError::Account { .. })),
            "{text}"
        );
    }
    assert_eq!(
        AccountId::parse("12\u{1b}").unwrap_err().to_string(),
        "\"12\\u{1b}\" is no AWS account id, 12 digits are expected"
    );
}

#[test]
fn any_arn_falls_into_its_parts() {
    let arn = Arn::parse("arn:aws:ssm:eu-west-1:012345678901:document/a:b:c").unwrap();
    assert_eq!(arn.partition(), Partition::Aws);
    assert_eq!(arn.service(), "ssm");
    assert_eq!(arn.region().map(Region::as_str), Some("eu-west-1"));
    assert_eq!(arn.account(), Some(account()));
    assert_eq!(arn.resource(), "document/a:b:c");
    assert!(!arn.is_aws_owned());

    let bucket = Arn::parse("arn:aws-cn:s3:::bucket/ключ").unwrap();
    assert_eq!(
        (bucket.region(), bucket.account(), bucket.resource()),
        (None, None, "bucket/ключ")
    );

    let managed = Arn::parse("arn:aws:iam::aws:policy/ReadOnlyAccess").unwrap();
    assert!(managed.is_aws_owned());
    assert_eq!(managed.account(), None);
}

#[test]
fn what_is_no_arn_is_refused() {
    for text in [
        "",
        "arn",
        "arn:aws:s3::",
        "ARN:aws:s3:::b",
        "arn:aws:s3:::",
        "arn::s3:::b",
        "arn:aws::::b",
        "arn:aws:S3:::b",
        "arn:aws:s3:eu:::b",
        "arn:aws:s3::1234:b",
        "arn:aws:s3::*:b",
        "arn:aws:s3:*::b",
        "arn:xaws:s3:::b",
        " arn:aws:s3:::b",
        "arn:aws:s3:::b\n",
        "arn:aws:s3:cn-north-1::b",
    ] {
        assert!(Arn::parse(text).is_err(), "{text}");
    }
    let of_length = |length: usize| format!("arn:aws:s3:::{}", "b".repeat(length - 13));
    assert!(Arn::parse(&of_length(2_048)).is_ok());
    assert!(Arn::parse(&of_length(2_049)).is_err());
}

#[test]
fn a_role_arn_falls_into_its_parts_in_every_partition() {
    for partition in Partition::ALL {
        for (path, name) in [
            ("/", "Developer"),
            ("/team/", "a+=,.@-_9"),
            ("/a/b!:c//", "R"),
        ] {
            let text = format!("arn:{partition}:iam::{ACCOUNT}:role{path}{name}");
            let arn = RoleArn::parse(&text).unwrap();
            assert_eq!(
                (
                    arn.partition(),
                    arn.account(),
                    arn.path(),
                    arn.name(),
                    arn.as_str()
                ),
                (partition, account(), path, name, text.as_str())
            );
            let path_and_name = format!("{path}{name}");
            assert_eq!(
                RoleArn::new(partition, account(), &path_and_name),
                Ok(arn.clone())
            );
            assert_eq!(
                RoleArn::new(partition, account(), &path_and_name[1..]),
                Ok(arn)
            );
        }
    }
}

#[test]
fn names_and_paths_end_where_iam_says() {
    let role = |path: &str, name: &str| {
        RoleArn::parse(&format!("arn:aws:iam::{ACCOUNT}:role{path}{name}")).is_ok()
    };
    for (length, legal) in [(0, false), (1, true), (64, true), (65, false)] {
        assert_eq!(role("/", &"n".repeat(length)), legal, "{length}");
        let user = format!("arn:aws:iam::{ACCOUNT}:user/{}", "n".repeat(length));
        assert_eq!(UserArn::parse(&user).is_ok(), legal, "{length}");
    }
    for (length, legal) in [(0, false), (1, true), (128, true), (129, false)] {
        let policy = format!("arn:aws:iam::aws:policy/{}", "n".repeat(length));
        assert_eq!(PolicyArn::parse(&policy).is_ok(), legal, "{length}");
    }
    assert!(role(&format!("/{}/", "p".repeat(510)), "n"));
    assert!(!role(&format!("/{}/", "p".repeat(511)), "n"));
    for bad in [" ", "\n", "\u{7f}", "é"] {
        assert!(!role(&format!("/a{bad}/"), "n"), "{bad:?}");
    }
    for bad in ["a b", "a*", "a:b", "é", "a\0", "a/"] {
        assert!(!role("/", bad), "{bad:?}");
    }
}

#[test]
fn what_is_no_role_arn_is_refused() {
    for text in [
        "",
        "Developer",
        "arn:aws:iam::012345678901:role",
        "arn:aws:iam::012345678901:roleX/a",
        "arn:aws:iam::012345678901:user/a",
        "arn:aws:sts::012345678901:role/a",
        "arn:aws:iam:us-east-1:012345678901:role/a",
        "arn:aws:iam::aws:role/a",
        "arn:aws:iam:::role/a",
        "arn:aws:iam::01234567890:role/a",
        "arn:aws:sts::012345678901:assumed-role/a/b",
        "arn:other:iam::012345678901:role/a",
        "arn:aws:iam::012345678901:Role/a",
    ] {
        assert!(RoleArn::parse(text).is_err(), "{text}");
    }
    assert_eq!(
        RoleArn::parse("arn:aws:iam::012345678901:user/a")
            .unwrap_err()
            .to_string(),
        "\"arn:aws:iam::012345678901:user/a\" is no role ARN, expected is \
         arn:PARTITION:iam::ACCOUNT:role/NAME"
    );
    assert_eq!(
        RoleArn::parse("arn:aws:iam::012345678901:role/a b")
            .unwrap_err()
            .to_string(),
        "the name of role ARN \"arn:aws:iam::012345678901:role/a b\" is not legal: character 2 is \
         ' ', allowed are ASCII letters, digits and _ + = , . @ -"
    );
    assert!(
        RoleArn::parse(&"a".repeat(100_000))
            .unwrap_err()
            .to_string()
            .len()
            < 200
    );
}

#[test]
fn composing_cannot_smuggle_another_resource() {
    for text in ["", "/", "a/", "//", "a\n", "a b", "x/../a b"] {
        assert!(
            RoleArn::new(Partition::Aws, account(), text).is_err(),
            "{text:?}"
        );
    }
    let arn = RoleArn::new(Partition::Aws, account(), "x:role/a").unwrap();
    assert_eq!(
        (arn.path(), arn.name(), arn.account()),
        ("/x:role/", "a", account())
    );
}

#[test]
fn a_managed_policy_belongs_to_an_account_or_to_aws() {
    let own = PolicyArn::parse("arn:aws:iam::012345678901:policy/team/Base").unwrap();
    assert_eq!(
        (own.account(), own.path(), own.name()),
        (Some(account()), "/team/", "Base")
    );
    assert!(!own.is_aws_managed());
    let aws =
        PolicyArn::parse("arn:aws-us-gov:iam::aws:policy/job-function/ViewOnlyAccess").unwrap();
    assert_eq!(
        (aws.account(), aws.partition()),
        (None, Partition::AwsUsGov)
    );
    assert!(aws.is_aws_managed());
    assert_eq!(
        PolicyArn::new(Partition::AwsUsGov, None, "job-function/ViewOnlyAccess"),
        Ok(aws)
    );
    assert_eq!(
        PolicyArn::new(Partition::Aws, Some(account()), "/team/Base"),
        Ok(own)
    );
    for text in [
        "arn:aws:iam:::policy/A",
        "arn:aws:iam::AWS:policy/A",
        "arn:aws:iam::aws:role/A",
        "ReadOnlyAccess",
    ] {
        assert!(PolicyArn::parse(text).is_err(), "{text}");
    }
}

#[test]
fn an_mfa_serial_is_an_arn_or_a_number() {
    let device = MfaSerial::parse("arn:aws:iam::012345678901:mfa/alice").unwrap();
    assert_eq!(
        (device.account(), device.is_hardware()),
        (Some(account()), false)
    );
    assert!(MfaSerial::parse("arn:aws-cn:iam::012345678901:mfa/path/alice").is_ok());
    let token = MfaSerial::parse("GAHT12345678").unwrap();
    assert_eq!((token.account(), token.is_hardware()), (None, true));
    for (length, legal) in [(8, false), (9, true), (256, true), (257, false)] {
        assert_eq!(
            MfaSerial::parse(&"G".repeat(length)).is_ok(),
            legal,
            "{length}"
        );
    }
    for text in [
        "arn:aws:iam::012345678901:mfa/",
        "arn:aws:iam::012345678901:mfa/a/",
        "arn:aws:iam::012345678901:user/alice",
        "arn:aws:iam::0123:mfa/alice",
        "arn:aws:sts::012345678901:mfa/alice",
        "arn:aws:iam:us-east-1:012345678901:mfa/alice",
        "arn:aws:iam",
        "GAHT 12345678",
        "GAHT12345678\n",
        "GAHT1234567é",
    ] {
        assert!(MfaSerial::parse(text).is_err(), "{text}");
    }
    let key = MfaSerial::parse("arn:aws:iam::012345678901:u2f/user/alice/key-ABC");
    assert!(matches!(key, Err(ArnError::SecurityKey { .. })));
}

#[test]
fn callers_of_every_kind_in_every_partition() {
    for partition in Partition::ALL {
        let of = |service: &str, resource: &str| {
            let text = format!("arn:{partition}:{service}::{ACCOUNT}:{resource}");
            let caller = CallerArn::parse(&text).unwrap();
            assert_eq!(
                (caller.partition(), caller.account()),
                (partition, account())
            );
            assert_eq!(caller.to_string(), text);
            let json = serde_json::to_string(&caller).unwrap();
            assert_eq!(serde_json::from_str::<CallerArn>(&json).unwrap(), caller);
            caller
        };
        assert!(
            matches!(of("iam", "user/team/alice"), CallerArn::User { arn } if arn.name() == "alice")
        );
        assert_eq!(
            of("iam", "root"),
            CallerArn::Root {
                partition,
                account: account()
            }
        );
        let session = CallerArn::AssumedRole {
            partition,
            account: account(),
            role_name: "Developer".into(),
            session_name: RoleSessionName::parse("alice-01").unwrap(),
        };
        assert_eq!(of("sts", "assumed-role/Developer/alice-01"), session);
        let federated = CallerArn::FederatedUser {
            partition,
            account: account(),
            name: "bob".into(),
        };
        assert_eq!(of("sts", "federated-user/bob"), federated);
    }
}

#[test]
fn what_is_no_caller_is_refused() {
    for text in [
        "",
        "arn:aws:iam::012345678901:role/Developer",
        "arn:aws:iam::012345678901:root/x",
        "arn:aws:iam::012345678901:roots",
        "arn:aws:iam::012345678901:root/",
        "arn:aws:sts::012345678901:root",
        "arn:aws:sts::012345678901:assumed-role/Developer",
        "arn:aws:sts::012345678901:assumed-role//s1",
        "arn:aws:sts::012345678901:assumed-role/Developer/",
        "arn:aws:sts::012345678901:assumed-role/D/s/t",
        "arn:aws:sts::012345678901:federated-user/a",
        "arn:aws:sts::0123:assumed-role/Developer/s1",
        "arn:aws:iam::012345678901:assumed-role/Developer/s1",
        "arn:aws:sts:us-east-1:012345678901:assumed-role/Developer/s1",
    ] {
        assert!(CallerArn::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_session_is_of_its_role_and_name_only() {
    let caller =
        CallerArn::parse("arn:aws:sts::012345678901:assumed-role/Developer/alice").unwrap();
    let is = |role: &str, session: &str| {
        caller.is_session_of(&role.parse().unwrap(), &session.parse().unwrap())
    };
    assert!(is("arn:aws:iam::012345678901:role/Developer", "alice"));
    assert!(is("arn:aws:iam::012345678901:role/team/Developer", "alice"));
    assert!(!is("arn:aws:iam::012345678901:role/developer", "alice"));
    assert!(!is("arn:aws:iam::012345678901:role/Developer", "bob"));
    assert!(!is("arn:aws:iam::012345678902:role/Developer", "alice"));
    assert!(!is("arn:aws-cn:iam::012345678901:role/Developer", "alice"));
    let user = CallerArn::parse("arn:aws:iam::012345678901:user/Developer").unwrap();
    let role = RoleArn::parse("arn:aws:iam::012345678901:role/Developer").unwrap();
    assert!(!user.is_session_of(&role, &RoleSessionName::parse("alice").unwrap()));
}

#[test]
fn the_forms_of_a_value_agree() {
    let text = "arn:aws:iam::012345678901:role/Developer";
    let arn: RoleArn = text.parse().unwrap();
    assert_eq!(RoleArn::try_from(text), Ok(arn.clone()));
    assert_eq!(RoleArn::try_from(text.to_owned()), Ok(arn.clone()));
    assert_eq!(arn.as_ref(), text);
    assert_eq!(format!("{arn:?}"), format!("RoleArn({text:?})"));
    let json = serde_json::to_string(&arn).unwrap();
    assert_eq!(serde_json::from_str::<RoleArn>(&json).unwrap(), arn);
    assert!(serde_json::from_str::<RoleArn>("\"arn:aws:s3:::b\"").is_err());
}

fn any_partition() -> impl Strategy<Value = Partition> {
    prop::sample::select(Partition::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_role_arn_is_its_parts(
        partition in any_partition(),
        account in "[0-9]{12}",
        path in "(/[!-~]{1,20}){0,3}/",
        name in "[a-zA-Z0-9_+=,.@-]{1,64}",
    ) {
        let account = AccountId::parse(&account).unwrap();
        let arn = RoleArn::new(partition, account, &format!("{path}{name}")).unwrap();
        prop_assert_eq!(arn.to_string().parse(), Ok(arn.clone()));
        prop_assert_eq!(arn.account(), account);
        prop_assert_eq!(arn.path(), path);
        prop_assert_eq!(arn.name(), name);
        let general = Arn::parse(arn.as_str()).unwrap();
        prop_assert_eq!(general.account(), Some(account));
        prop_assert_eq!(general.partition(), partition);
    }

    #[test]
    fn what_parses_is_displayed_as_it_was_and_nothing_panics(
        any in any::<String>(),
        nearly in "arn:(aws|aws-cn):(iam|sts|s3):(us-east-1)?:([0-9]{12}|aws)?:\
                   (role|user|mfa|u2f|policy|root|assumed-role|federated-user)?/?[ -~é]{0,20}",
    ) {
        for text in [any, nearly] {
            if let Ok(value) = Arn::parse(&text) { prop_assert_eq!(value.to_string(), text.clone()); }
            if let Ok(value) = RoleArn::parse(&text) { prop_assert_eq!(value.to_string(), text.clone()); }
            if let Ok(value) = UserArn::parse(&text) { prop_assert_eq!(value.to_string(), text.clone()); }
            if let Ok(value) = PolicyArn::parse(&text) { prop_assert_eq!(value.to_string(), text.clone()); }
            if let Ok(value) = MfaSerial::parse(&text) { prop_assert_eq!(value.to_string(), text.clone()); }
            if let Ok(value) = CallerArn::parse(&text) { prop_assert_eq!(value.to_string(), text.clone()); }
            if let Ok(value) = Region::parse(&text) { prop_assert_eq!(value.to_string(), text.clone()); }
        }
    }
}
