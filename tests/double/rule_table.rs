//! Every rule of the double has a scenario that comes out as the rule says, and differently once
//! this one rule is taken out. The match is exhaustive: a new rule does not compile without one.

use crate::lab::Lab;
use crate::scenarios::{
    assume_role, conditions, credentials, iam, organization, permissions, scoped, services,
    session_policies, signature, tags,
};
use jumpgate_tests::sts::Rule;

type Scenario = fn(Lab) -> String;

const OK: &str = "200";
const DENIED: &str = "403 AccessDenied";
const DENIED_IN_JSON: &str = "400 AccessDeniedException";
const UNKNOWN_OPERATION: &str = "400 UnknownOperationException";
const INVALID: &str = "400 ValidationError";
const VALUE: &str = "400 InvalidParameterValue";
const MALFORMED: &str = "400 MalformedPolicyDocument";
const TOO_LARGE: &str = "400 PackedPolicyTooLarge";
const BAD_TOKEN: &str = "403 InvalidClientTokenId";
const MISMATCH: &str = "403 SignatureDoesNotMatch";

/// The scenario of a rule, and what it comes to with the rule.
fn scenario(rule: Rule) -> (Scenario, &'static str) {
    match rule {
        Rule::SignedCall => (signature::unsigned, "403 MissingAuthenticationToken"),
        Rule::KnownKey => (signature::unknown_key, BAD_TOKEN),
        Rule::InactiveKey => (signature::inactive_key, BAD_TOKEN),
        Rule::SignatureMatch => (signature::wrong_secret, MISMATCH),
        Rule::SignatureDate => (signature::old_signature, "400 RequestExpired"),
        Rule::CredentialScope => (signature::bad_scope, MISMATCH),
        Rule::SignedHeaders => (signature::unsigned_header, MISMATCH),
        Rule::BodyHash => (signature::other_body, MISMATCH),
        Rule::SessionTokenMatch => (signature::missing_token, BAD_TOKEN),
        Rule::SessionExpiry => (signature::expired_session, "403 ExpiredToken"),
        Rule::ApiVersion => (signature::other_version, "400 InvalidAction"),
        Rule::KnownParameters => (signature::unknown_parameter, "400 InvalidQueryParameter"),
        Rule::KeysPerUser => (signature::three_keys, "a user has at most 2 access keys"),
        Rule::MfaDevicesPerUser => (signature::nine_devices, "a user has at most 8 MFA devices"),
        Rule::RoleArnForm => (assume_role::no_role_arn, INVALID),
        Rule::TrustPolicy => (assume_role::not_trusted, DENIED),
        Rule::IdentityPolicy => (assume_role::no_identity_policy, DENIED),
        Rule::ExplicitDeny => (assume_role::denied_by_identity, DENIED),
        Rule::DurationRange => (assume_role::too_short, INVALID),
        Rule::DurationRoleMaximum => (assume_role::longer_than_the_role, INVALID),
        Rule::DurationChained => (assume_role::longer_than_a_chain, INVALID),
        Rule::RootRefused => (assume_role::root_user, DENIED),
        Rule::RoleSessionName => (assume_role::bad_session_name, INVALID),
        Rule::ExternalIdForm => (assume_role::short_external_id, INVALID),
        Rule::SourceIdentityForm => (assume_role::bad_source_identity, INVALID),
        Rule::ExternalIdContext => (assume_role::external_id_is_asked_for, OK),
        Rule::MfaPair => (assume_role::serial_without_code, DENIED),
        Rule::MfaDeviceOwner => (assume_role::foreign_device, DENIED),
        Rule::MfaCode => (assume_role::wrong_code, DENIED),
        Rule::MfaWindow => (assume_role::old_code, DENIED),
        Rule::MfaReplay => (assume_role::code_twice, DENIED),
        Rule::MfaPresentContext => (assume_role::mfa_is_asked_for, OK),
        Rule::MfaAgeContext => (assume_role::mfa_age_is_asked_for, OK),
        Rule::MfaNotInRoleSession => (assume_role::mfa_in_a_role_session, DENIED),
        Rule::PolicyGrammar => (session_policies::no_policy_at_all, MALFORMED),
        Rule::PolicyDuplicateKeys => (session_policies::key_twice, MALFORMED),
        Rule::PolicyCharacters => (session_policies::letter_beyond_latin_1, INVALID),
        Rule::PolicyLength => (session_policies::federation_policy_of_2049, INVALID),
        Rule::PolicyArnCount => (session_policies::eleven_arns, INVALID),
        Rule::PolicyArnExists => (session_policies::unknown_arn, INVALID),
        Rule::SessionPolicyIntersection => (session_policies::session_policy_narrows, DENIED),
        Rule::PackedPolicySize => (session_policies::packed_size_is_told, "true"),
        Rule::PackedPolicyTooLarge => (session_policies::too_many_bytes_of_tags, TOO_LARGE),
        Rule::SessionTokenSize => (session_policies::token_size_is_true, "true"),
        Rule::SessionTokenMaximum => (session_policies::too_large_a_token, TOO_LARGE),
        Rule::MinimumSessionTokenSize => (session_policies::token_of_4000, "4000"),
        Rule::TagCount => (tags::fifty_one, INVALID),
        Rule::TagKeyForm => (tags::long_key, INVALID),
        Rule::TagValueForm => (tags::bad_value, INVALID),
        Rule::TagReservedPrefix => (tags::reserved_key, VALUE),
        Rule::TagKeysUnique => (tags::keys_that_differ_in_case, VALUE),
        Rule::TransitiveKeyGiven => (tags::transitive_key_without_tag, VALUE),
        Rule::TagSessionPermission => (tags::without_permission, DENIED),
        Rule::RequestTagContext => (tags::request_tag_is_asked_for, OK),
        Rule::TagKeysContext => (tags::tag_keys_are_asked_for, OK),
        Rule::TransitiveTagKeysContext => (tags::transitive_keys_are_asked_for, OK),
        Rule::PrincipalTagContext => (tags::principal_tag_is_asked_for, OK),
        Rule::TransitiveTagsTravel => (tags::second_hop, OK),
        Rule::TransitiveTagsFixed => (tags::transitive_tag_again, DENIED),
        Rule::SetSourceIdentityPermission => {
            (assume_role::source_identity_without_permission, DENIED)
        }
        Rule::SourceIdentityContext => (assume_role::source_identity_is_asked_for, OK),
        Rule::SourceIdentityKept => (
            assume_role::source_identity_at_the_next_hop,
            "Some(\"alice\")",
        ),
        Rule::SourceIdentityFixed => (assume_role::another_source_identity, DENIED),
        Rule::SessionTokenCaller => (credentials::session_token_from_session, DENIED),
        Rule::SessionTokenDuration => (credentials::short_session_token, INVALID),
        Rule::SessionTokenRootHour => (credentials::session_token_of_root, "3600"),
        Rule::SessionTokenReach => (credentials::key_info_from_session, DENIED),
        Rule::FederationCaller => (credentials::federation_from_session, DENIED),
        Rule::FederationPermission => (credentials::federation_without_permission, DENIED),
        Rule::FederationName => (credentials::bad_federation_name, INVALID),
        Rule::FederationDuration => (credentials::short_federation, INVALID),
        Rule::FederationNeedsPolicy => (credentials::federation_without_policy, DENIED),
        Rule::FederationReach => (credentials::key_info_from_federation, DENIED),
        Rule::RoleSessionReach => (credentials::session_token_from_role, DENIED),
        Rule::ScopedCaller => (scoped::from_long_term_keys, DENIED),
        Rule::ScopedRegional => (scoped::at_the_global_endpoint, "400 InvalidAction"),
        Rule::ScopedDuration => (scoped::of_no_second, INVALID),
        Rule::ScopedRemainder => (scoped::beyond_the_session, INVALID),
        Rule::ScopedIntersection => (scoped::policy_intersects, DENIED),
        Rule::ScopedNested => (scoped::nested_policies_intersect, DENIED),
        Rule::ScopedDeny => (scoped::denied_by_the_session_policy, DENIED),
        Rule::IamRegion => (iam::other_region, MISMATCH),
        Rule::IamReach => (iam::session_without_mfa, BAD_TOKEN),
        Rule::IamUserName => (iam::bad_user_name, INVALID),
        Rule::IamUserNamed => (iam::session_names_nobody, INVALID),
        Rule::IamPermission => (iam::keys_of_another_user, DENIED),
        Rule::AccessKeyQuota => (iam::third_key, "409 LimitExceeded"),
        Rule::AccessKeyStatus => (iam::bad_status, INVALID),
        Rule::JsonTarget => (services::operation_of_another_service, UNKNOWN_OPERATION),
        Rule::ServicePermission => (services::case_without_permission, DENIED_IN_JSON),
        Rule::InstanceTagContext => (services::instance_by_its_tag, OK),
        Rule::SessionDocument => (services::document_not_allowed, DENIED_IN_JSON),
        Rule::SessionDocumentCheck => (services::default_document_not_allowed, DENIED_IN_JSON),
        Rule::ServiceControl => (organization::account_may_not_read, DENIED),
        Rule::ServiceControlLevels => (organization::one_level_leaves_reading_out, DENIED),
        Rule::ServiceControlSpares => (organization::management_account, OK),
        Rule::CallerIdentityFree => (credentials::identity_in_spite_of_a_deny, OK),
        Rule::AccessKeyInfoPermission => (credentials::key_info_without_permission, DENIED),
        Rule::AccessKeyInfoKnown => (credentials::key_info_of_no_key, INVALID),
        Rule::ConditionString => (conditions::string, DENIED),
        Rule::ConditionArn => (conditions::arn, DENIED),
        Rule::ConditionBool => (conditions::boolean, DENIED),
        Rule::ConditionNull => (conditions::null, DENIED),
        Rule::ConditionNumeric => (conditions::numeric, DENIED),
        Rule::ConditionDate => (conditions::date, DENIED),
        Rule::ConditionIp => (conditions::ip, DENIED),
        Rule::ConditionIfExists => (conditions::if_exists, OK),
        Rule::ConditionForAllValues => (conditions::for_all_values, DENIED),
        Rule::ConditionForAnyValue => (conditions::for_any_value, OK),
        Rule::ConditionMissingKey => (conditions::missing_key, DENIED),
        Rule::PolicyVariables => (conditions::variable, OK),
        Rule::BucketPolicy => (permissions::bucket_policy_denies, DENIED),
        Rule::CrossAccountBoth => (permissions::foreign_bucket, DENIED),
        Rule::SessionArnEscapes => (permissions::session_named_by_the_bucket, OK),
        Rule::Checksum => (permissions::wrong_checksum, "400 BadDigest"),
        Rule::TokenIssueTimeContext => (permissions::older_sessions_revoked, DENIED),
        Rule::UserIdContext => (permissions::one_session_revoked, DENIED),
        Rule::PoliciesAtEachCall => (permissions::denied_later, DENIED),
        Rule::RecordHidesSecrets => (credentials::recorded_code, "hidden"),
    }
}

#[test]
fn every_rule_is_in_force() {
    for rule in Rule::ALL {
        let (run, expected) = scenario(*rule);
        assert_eq!(
            run(Lab { without: None }),
            expected,
            "{rule:?}: {}",
            rule.what()
        );
    }
}

/// Taken out, each rule changes what its scenario comes to: so a rule that is lost fails the test
/// above.
#[test]
fn every_rule_that_is_taken_out_is_missed() {
    let unmissed: Vec<_> = Rule::ALL
        .iter()
        .filter(|rule| {
            let (run, expected) = scenario(**rule);
            run(Lab {
                without: Some(**rule),
            }) == expected
        })
        .collect();
    assert!(unmissed.is_empty(), "nothing changes without {unmissed:?}");
}

/// Each rule names AWS's page, or says that there is none.
#[test]
fn every_rule_cites_its_source() {
    for rule in Rule::ALL {
        let source = rule.source();
        let page = source.split(' ').next().unwrap_or("");
        let cited = page.len() > 5
            && page
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-;:".contains(c));
        assert!(cited, "{rule:?} cites {source:?}");
    }
}
