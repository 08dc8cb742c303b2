//! AssumeRole as the SDK builds it.

use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use jumpgate_iam::SessionTags;

use crate::domain::assume_role::AssumeRoleRequest;

/// The call with everything that the request says; a limit that AWS has is one of its type.
pub(super) fn filled(
    call: AssumeRoleFluentBuilder,
    request: &AssumeRoleRequest,
) -> AssumeRoleFluentBuilder {
    let policy = request.policy.as_ref();
    let external_id = request.external_id.as_ref();
    let source_identity = request.source_identity.as_ref();
    let arns = request.policy_arns.iter();
    let arns = arns.map(|arn| PolicyDescriptorType::builder().arn(arn.as_str()).build());
    let transitive = request.transitive.iter().map(|key| key.as_str().to_owned());
    call.role_arn(request.role.as_str())
        .role_session_name(request.session_name.as_str())
        .duration_seconds(seconds(request.duration.seconds()))
        .set_policy(policy.map(|policy| policy.minified().to_owned()))
        .set_policy_arns(present(arns.collect()))
        .set_tags(present(tags(&request.tags)))
        .set_transitive_tag_keys(present(transitive.collect()))
        .set_external_id(external_id.map(|id| id.as_str().to_owned()))
        .set_source_identity(source_identity.map(|name| name.as_str().to_owned()))
}

fn tags(tags: &SessionTags) -> Vec<Tag> {
    let pair = |(key, value): (&jumpgate_iam::TagKey, &jumpgate_iam::TagValue)| {
        let tag = Tag::builder().key(key.as_str()).value(value.as_str());
        tag.build().expect("key and value are set")
    };
    tags.iter().map(pair).collect()
}

fn present<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

pub(super) fn seconds(seconds: u32) -> i32 {
    i32::try_from(seconds).expect("durations are at most 36 hours")
}
