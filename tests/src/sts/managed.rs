//! AWS's managed policies that the double knows, cut down to the services that are of any use here.
//! The names and paths are AWS's (aws-managed-policies); the contents are abridged.

const KNOWN: &[(&str, &str)] = &[
    (
        "ReadOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:Get*","iam:List*","s3:Get*","s3:List*","sts:GetAccessKeyInfo","support:Describe*","ec2:Describe*"],"Resource":"*"}}"#,
    ),
    (
        "SecurityAudit",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:Get*","iam:List*","s3:GetBucket*","s3:ListAllMyBuckets","ec2:Describe*"],"Resource":"*"}}"#,
    ),
    (
        "job-function/ViewOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:List*","s3:ListAllMyBuckets","s3:ListBucket","ec2:Describe*"],"Resource":"*"}}"#,
    ),
    (
        "AWSSupportAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["support:*"],"Resource":"*"}}"#,
    ),
    (
        "AdministratorAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    ),
    (
        "AWSDenyAll",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#,
    ),
    (
        "AmazonS3ReadOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}}"#,
    ),
];

/// The document of one of AWS's managed policies, by ARN.
pub(super) fn text(arn: &str) -> Option<&'static str> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    KNOWN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, document)| *document)
}
