//! The rules of the double, by name. Each is consulted at one place, through [`Rules::enforces`], so
//! that a test can take a single rule out and see that something else comes out.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

macro_rules! rules {
    ($($name:ident, $what:literal, $source:literal;)+) => {
        /// One rule of AWS that the double enforces.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule { $(#[doc = $what] $name,)+ }

        impl Rule {
            /// All rules, in the order of their declaration.
            pub const ALL: &[Rule] = &[$(Rule::$name,)+];

            /// What the rule says.
            pub fn what(self) -> &'static str {
                match self { $(Rule::$name => $what,)+ }
            }

            /// AWS's page that documents the rule, by name; "undocumented: …" where none does.
            pub fn source(self) -> &'static str {
                match self { $(Rule::$name => $source,)+ }
            }
        }
    };
}

rules! {
    // Signature
    SignedCall, "a call without a signature is refused", "CommonErrors (MissingAuthenticationToken)";
    KnownKey, "an unknown access key id is refused", "CommonErrors (InvalidClientTokenId)";
    InactiveKey, "an inactive access key is refused", "id_credentials_access-keys";
    SignatureMatch, "the signature is recomputed and compared", "reference_sigv-create-signed-request";
    SignatureDate, "the signature's date is at most 5 minutes off (S3: 15)", "reference_sigv-troubleshooting";
    CredentialScope, "the scope names the signature's day, a known region, the service, aws4_request", "reference_sigv-signing-elements";
    SignedHeaders, "host and every x-amz- header are signed", "reference_sigv-create-signed-request";
    BodyHash, "a declared payload hash is the body's", "reference_sigv-create-signed-request";
    SessionTokenMatch, "temporary credentials come with exactly their session token", "id_credentials_temp_use-resources";
    SessionExpiry, "expired temporary credentials are refused", "id_credentials_temp_use-resources";
    // Query protocol
    ApiVersion, "Version is 2011-06-15", "CommonErrors (InvalidAction)";
    KnownParameters, "no parameter is unknown to the action or given twice", "undocumented: stricter than AWS, which ignores unknown ones";
    // Principals
    KeysPerUser, "a user has at most two access keys", "reference_iam-quotas";
    MfaDevicesPerUser, "a user has at most eight MFA devices", "reference_iam-quotas";
    // AssumeRole
    RoleArnForm, "RoleArn is the ARN of a role, 20 to 2048 characters", "API_AssumeRole";
    TrustPolicy, "the role's trust policy must allow the caller", "API_AssumeRole";
    IdentityPolicy, "the caller's own policies must allow it where the trust policy alone does not", "API_AssumeRole";
    ExplicitDeny, "an explicit deny wins over every allow", "reference_policies_evaluation-logic";
    DurationRange, "DurationSeconds is 900 to 43200", "API_AssumeRole";
    DurationRoleMaximum, "DurationSeconds is at most the role's maximum", "API_AssumeRole";
    DurationChained, "a chained session lasts at most one hour", "id_roles (role chaining)";
    RootRefused, "the root user cannot assume a role", "API_AssumeRole";
    RoleSessionName, "RoleSessionName: 2 to 64 of `[\\w+=,.@-]`", "API_AssumeRole";
    ExternalIdForm, "ExternalId: 2 to 1224 of `[\\w+=,.@:/-]`", "API_AssumeRole";
    SourceIdentityForm, "SourceIdentity: 2 to 64 of `[\\w+=,.@-]`, not beginning with aws:", "API_AssumeRole";
    ExternalIdContext, "sts:ExternalId is in the context", "id_roles_create_for-user_externalid";
    // MFA
    MfaPair, "SerialNumber and TokenCode come together and in their forms", "API_AssumeRole";
    MfaDeviceOwner, "the device belongs to the calling user", "id_credentials_mfa_configure-api-access";
    MfaCode, "the code is the device's by RFC 6238", "id_credentials_mfa_configure-api-access";
    MfaWindow, "a code counts within one step either way", "undocumented: RFC 6238 section 5.2";
    MfaReplay, "a code used once is refused the second time", "id_credentials_mfa_enable_virtual";
    MfaPresentContext, "aws:MultiFactorAuthPresent is in the context", "reference_policies_condition-keys";
    MfaAgeContext, "aws:MultiFactorAuthAge is in the context", "reference_policies_condition-keys";
    MfaNotInRoleSession, "a role session carries no MFA context", "id_credentials_mfa_configure-api-access";
    // Session policies
    PolicyGrammar, "an inline policy is an IAM policy without principal", "API_AssumeRole (MalformedPolicyDocument)";
    PolicyDuplicateKeys, "no object of a policy has a key twice", "reference_policies_grammar";
    PolicyCharacters, "policy characters are U+0009, U+000A, U+000D, U+0020 to U+00FF", "API_AssumeRole";
    PolicyLength, "Policy has at most 2048 characters where the API says so", "API_GetFederationToken";
    PolicyArnCount, "at most ten policy ARNs", "API_AssumeRole";
    PolicyArnExists, "a policy ARN exists and is AWS's or of the role's account", "API_AssumeRole";
    SessionPolicyIntersection, "a session may what its role and its session policies both allow", "access_policies (session policies)";
    PackedPolicySize, "the answer tells how full the packed policies and tags are, in percent", "API_AssumeRole; the packing is undocumented";
    PackedPolicyTooLarge, "above 100 percent the call fails", "API_AssumeRole (PackedPolicyTooLarge)";
    SessionTokenSize, "the token has as many bytes as SessionTokenSize says", "reference_iam-quotas; the layout is undocumented";
    SessionTokenMaximum, "a session token over 4096 bytes is refused", "reference_iam-quotas";
    MinimumSessionTokenSize, "a token is padded to MinimumSessionTokenSize, 0 to 4096", "API_AssumeRole";
    // Session tags
    TagCount, "at most 50 tags", "API_AssumeRole";
    TagKeyForm, "a tag key has 1 to 128 characters of the tag character set", "API_Tag";
    TagValueForm, "a tag value has 0 to 256 characters of the tag character set", "API_Tag";
    TagReservedPrefix, "no tag key begins with aws:", "id_session-tags";
    TagKeysUnique, "no two tag keys differ in case only", "id_session-tags";
    TransitiveKeyGiven, "a transitive tag key is one of the tags", "id_session-tags";
    TagSessionPermission, "tags need sts:TagSession", "id_session-tags";
    RequestTagContext, "aws:RequestTag is in the context", "id_session-tags";
    TagKeysContext, "aws:TagKeys is in the context", "id_session-tags";
    TransitiveTagKeysContext, "sts:TransitiveTagKeys is in the context", "id_session-tags";
    PrincipalTagContext, "aws:PrincipalTag is in the context", "id_session-tags";
    TransitiveTagsTravel, "transitive tags travel to the next hop, the others do not", "id_session-tags (role chaining)";
    TransitiveTagsFixed, "an inherited transitive tag cannot be passed again", "id_session-tags (role chaining)";
    // Source identity
    SetSourceIdentityPermission, "a source identity needs sts:SetSourceIdentity at every hop", "id_credentials_temp_control-access_monitor";
    SourceIdentityContext, "sts:SourceIdentity is in the context", "id_credentials_temp_control-access_monitor";
    SourceIdentityKept, "a source identity is kept through chaining", "id_credentials_temp_control-access_monitor";
    SourceIdentityFixed, "a source identity cannot change", "id_credentials_temp_control-access_monitor";
    // GetSessionToken
    SessionTokenCaller, "GetSessionToken needs long-term keys", "API_GetSessionToken";
    SessionTokenDuration, "900 to 129600 seconds", "API_GetSessionToken";
    SessionTokenRootHour, "sessions of the root user last at most one hour", "API_GetSessionToken";
    SessionTokenReach, "its credentials may call only AssumeRole and GetCallerIdentity in STS", "API_GetSessionToken";
    // GetFederationToken
    FederationCaller, "GetFederationToken needs long-term keys", "API_GetFederationToken";
    FederationPermission, "the user needs sts:GetFederationToken", "id_credentials_temp_control-access_getfederationtoken";
    FederationName, "Name: 2 to 32 of `[\\w+=,.@-]`", "API_GetFederationToken";
    FederationDuration, "900 to 129600 seconds", "API_GetFederationToken";
    FederationNeedsPolicy, "without a session policy a federated user has no permissions", "API_GetFederationToken";
    FederationReach, "its credentials may call only GetCallerIdentity in STS", "API_GetFederationToken";
    // Role sessions, identity
    RoleSessionReach, "a role session may call neither GetSessionToken nor GetFederationToken", "API_AssumeRole";
    CallerIdentityFree, "GetCallerIdentity needs no permission, not even against a deny", "API_GetCallerIdentity";
    AccessKeyInfoPermission, "GetAccessKeyInfo needs its permission", "API_GetAccessKeyInfo";
    AccessKeyInfoKnown, "GetAccessKeyInfo refuses a key id that does not exist", "API_GetAccessKeyInfo";
    // GetScopedCredentials
    ScopedCaller, "GetScopedCredentials needs temporary credentials", "API_GetScopedCredentials";
    ScopedRegional, "GetScopedCredentials is refused on the global endpoint", "API_GetScopedCredentials";
    ScopedDuration, "1 to 129600 seconds", "API_GetScopedCredentials";
    ScopedRemainder, "scoped credentials cannot outlive the calling session", "id_credentials_temp_control-access_getscopedcredentials; the code is undocumented";
    ScopedIntersection, "scoped credentials may what the session and the scope-down policy both allow", "id_credentials_temp_control-access_getscopedcredentials";
    ScopedNested, "a nested call narrows what earlier scope-down policies left", "id_credentials_temp_control-access_getscopedcredentials";
    ScopedDeny, "a deny of sts:GetScopedCredentials refuses the call; no allow is needed", "undocumented: whether a permission is needed";
    // Conditions
    ConditionString, "String operators", "reference_policies_elements_condition_operators";
    ConditionArn, "Arn operators", "reference_policies_elements_condition_operators";
    ConditionBool, "Bool", "reference_policies_elements_condition_operators";
    ConditionNull, "Null", "reference_policies_elements_condition_operators";
    ConditionNumeric, "Numeric operators", "reference_policies_elements_condition_operators";
    ConditionDate, "Date operators", "reference_policies_elements_condition_operators";
    ConditionIp, "IpAddress, NotIpAddress", "reference_policies_elements_condition_operators";
    ConditionIfExists, "…IfExists holds where the key is missing", "reference_policies_elements_condition_operators";
    ConditionForAllValues, "ForAllValues: every value of the request; none is enough", "reference_policies_condition-single-vs-multi-valued-context-keys";
    ConditionForAnyValue, "ForAnyValue: one value of the request; none is not enough", "reference_policies_condition-single-vs-multi-valued-context-keys";
    ConditionMissingKey, "a missing key fails a positive operator", "reference_policies_elements_condition_operators";
    PolicyVariables, "policy variables are filled in, in policies of version 2012-10-17", "reference_policies_variables";
    // IAM
    IamRegion, "IAM's signatures are for us-east-1", "iam-service; the code is undocumented";
    IamReach, "sessions of GetSessionToken call IAM only with MFA, those of GetFederationToken never", "API_GetSessionToken";
    IamUserName, "UserName: 1 to 128 of `[\\w+=,.@-]`", "API_CreateAccessKey";
    IamUserNamed, "temporary credentials must name the user", "API_ListAccessKeys";
    IamPermission, "each call needs its permission on the user", "reference_policies_examples_iam_credentials_console";
    AccessKeyQuota, "no third access key is made", "API_CreateAccessKey (LimitExceeded)";
    AccessKeyStatus, "Status is Active or Inactive", "API_UpdateAccessKey";
    // Other services
    JsonTarget, "X-Amz-Target names an operation of the service that the signature is for", "undocumented: the error's form; CommonErrors (InvalidAction)";
    ServicePermission, "support, servicequotas and ssm ask role, session, scope-down and service control policies", "reference_policies_evaluation-logic";
    InstanceTagContext, "ssm:resourceTag is in the context of a call on an instance", "getting-started-restrict-access-examples";
    SessionDocument, "a document that StartSession names must be allowed too", "getting-started-sessiondocumentaccesscheck";
    SessionDocumentCheck, "ssm:SessionDocumentAccessCheck asks for the default document as for a named one", "getting-started-sessiondocumentaccesscheck";
    // Organisation
    ServiceControl, "service control policies limit the principals of their account", "orgs_manage_policies_scps_evaluation";
    ServiceControlLevels, "every level of the organisation must allow it", "orgs_manage_policies_scps_evaluation";
    ServiceControlSpares, "the management account is not limited", "orgs_manage_policies_scps";
    // S3
    BucketPolicy, "a bucket policy allows and denies", "reference_policies_evaluation-logic";
    CrossAccountBoth, "across accounts both sides must allow", "reference_policies_evaluation-logic-cross-account";
    SessionArnEscapes, "a resource policy that names the session ARN is not cut by session policies, one that names the role is", "access_policies (session policies)";
    Checksum, "a checksum that comes with an object is the object's", "checking-object-integrity";
    // Revocation
    TokenIssueTimeContext, "aws:TokenIssueTime is in the context", "id_roles_use_revoke-sessions";
    UserIdContext, "aws:userid is in the context", "reference_policies_variables";
    PoliciesAtEachCall, "a policy attached later takes effect at the next call", "id_credentials_temp_control-access_disable-perms";
    // Record
    RecordHidesSecrets, "the record keeps all parameters but no token code", "cloudtrail-integration";
}

/// The rules in force: all but those taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rules {
    out: BTreeSet<Rule>,
}

impl Rules {
    /// Takes one rule out.
    pub fn take_out(&mut self, rule: Rule) {
        self.out.insert(rule);
    }

    /// Whether the rule is in force.
    pub fn enforces(&self, rule: Rule) -> bool {
        !self.out.contains(&rule)
    }
}
