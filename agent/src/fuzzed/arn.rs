//! ARNs. Law: what is read prints as it stood; what is put together of its parts is the same again; every ARN of a special
//! kind is one for the general reader; what is refused is refused in plain words.

use jumpgate_iam::{
    AccountId, Arn, CallerArn, MfaSerial, Partition, PolicyArn, Region, RoleArn, UserArn,
};

use super::{assert_plain, reads_as_it_stands, text};

/// One ARN a line.
pub(super) fn target(data: &[u8]) {
    for line in text(data).into_iter().flat_map(str::lines).take(64) {
        one(line);
    }
}

fn one(text: &str) {
    let general = reads_as_it_stands::<Arn>(text);
    if let Some(role) = reads_as_it_stands::<RoleArn>(text) {
        assert!(general.is_some(), "{text}");
        let path_and_name = format!("{}{}", role.path(), role.name());
        let again = RoleArn::new(role.partition(), role.account(), &path_and_name);
        assert_eq!(again.unwrap(), role);
    }
    if let Some(user) = reads_as_it_stands::<UserArn>(text) {
        assert!(general.is_some(), "{text}");
        let path_and_name = format!("{}{}", user.path(), user.name());
        let again = UserArn::new(user.partition(), user.account(), &path_and_name);
        assert_eq!(again.unwrap(), user);
    }
    if let Some(policy) = reads_as_it_stands::<PolicyArn>(text) {
        assert!(general.is_some(), "{text}");
        assert_eq!(policy.is_aws_managed(), policy.account().is_none());
    }
    if let Some(caller) = reads_as_it_stands::<CallerArn>(text) {
        assert_eq!(general.unwrap().account(), Some(caller.account()));
    }
    if let Some(serial) = reads_as_it_stands::<MfaSerial>(text) {
        assert_eq!(serial.is_hardware(), serial.account().is_none());
    }
    if let Some(region) = reads_as_it_stands::<Region>(text) {
        assert!(
            region
                .sts_host()
                .ends_with(region.partition().sts_dns_suffix())
        );
    }
    reads_as_it_stands::<AccountId>(text);
    match Partition::parse(text) {
        Ok(partition) => assert_eq!(partition.as_str(), text),
        Err(error) => assert_plain(&error.to_string()),
    }
}
