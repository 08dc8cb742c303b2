//! AWS's managed policies that the double knows. The names and paths are AWS's (aws-managed-policies).
//!
//! Approximated: of ReadOnlyAccess, SecurityAudit and ViewOnlyAccess only the actions of the services
//! that are of any use here are kept, spelled as AWS spells them in 2026, without those of access
//! points, grants, storage lenses and the like; statements for single resources are left out.

const KNOWN: &[(&str, &str)] = &[
    (
        "ReadOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["athena:Batch*","athena:Get*",
"athena:List*","dynamodb:BatchGet*","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*",
"dynamodb:PartiQLSelect","dynamodb:Query","dynamodb:Scan","ec2:Describe*",
"ec2:DescribeInstanceImageMetadata","ec2:Get*","ec2:ListImagesInRecycleBin",
"ec2:ListSnapshotsInRecycleBin","ec2:SearchLocalGatewayRoutes","ec2:SearchTransitGatewayRoutes",
"ecr:BatchCheck*","ecr:BatchGet*","ecr:Describe*","ecr:Get*","ecr:List*","iam:Generate*","iam:Get*",
"iam:List*","iam:Simulate*","kms:Describe*","kms:Get*","kms:List*","lambda:Get*","lambda:List*",
"logs:Describe*","logs:FilterLogEvents","logs:Get*","logs:ListLogDeliveries","logs:ListLogGroupsForQuery",
"logs:ListTagsForResource","logs:ListTagsLogGroup","logs:StartLiveTail","logs:StartQuery",
"logs:StopLiveTail","logs:StopQuery","logs:TestMetricFilter","rds:Describe*","rds:Download*","rds:List*",
"s3:DescribeJob","s3:Get*","s3:List*","secretsmanager:Describe*","secretsmanager:GetResourcePolicy",
"secretsmanager:List*","servicequotas:GetAssociationForServiceQuotaTemplate",
"servicequotas:GetAutoManagementConfiguration","servicequotas:GetAWSDefaultServiceQuota",
"servicequotas:GetQuotaUtilizationReport","servicequotas:GetRequestedServiceQuotaChange",
"servicequotas:GetServiceQuota","servicequotas:GetServiceQuotaIncreaseRequestFromTemplate",
"servicequotas:ListAWSDefaultServiceQuotas","servicequotas:ListRequestedServiceQuotaChangeHistory",
"servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
"servicequotas:ListServiceQuotaIncreaseRequestsInTemplate","servicequotas:ListServiceQuotas",
"servicequotas:ListServices","servicequotas:StartQuotaUtilizationReport","sqs:Get*","sqs:List*",
"sqs:Receive*","ssm:Describe*","ssm:Get*","ssm:List*","sts:GetAccessKeyInfo","sts:GetCallerIdentity",
"sts:GetSessionToken","support:DescribeAttachment","support:DescribeCaseAttributes",
"support:DescribeCases","support:DescribeCommunication","support:DescribeCommunications",
"support:DescribeCreateCaseOptions","support:DescribeIssueTypes","support:DescribeServices",
"support:DescribeSeverityLevels","support:DescribeSupportedLanguages","support:DescribeSupportLevel",
"support:DescribeTrustedAdvisorCheckRefreshStatuses","support:DescribeTrustedAdvisorCheckResult",
"support:DescribeTrustedAdvisorChecks","support:DescribeTrustedAdvisorCheckSummaries",
"support:SearchForCases"],"Resource":"*"}}"#,
    ),
    (
        "SecurityAudit",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["athena:GetWorkGroup","athena:List*",
"dynamodb:DescribeContinuousBackups","dynamodb:DescribeExport","dynamodb:DescribeTable",
"dynamodb:DescribeTimeToLive","dynamodb:GetResourcePolicy","dynamodb:ListBackups","dynamodb:ListExports",
"dynamodb:ListStreams","dynamodb:ListTables","dynamodb:ListTagsOfResource","ec2:Describe*",
"ecr:BatchGetRepositoryScanningConfiguration","ecr:DescribeImages","ecr:DescribeImageScanFindings",
"ecr:DescribeRegistry","ecr:DescribeRepositories","ecr:GetLifecyclePolicy","ecr:GetRegistryPolicy",
"ecr:GetRegistryScanningConfiguration","ecr:GetRepositoryPolicy","ecr:ListImages",
"ecr:ListTagsForResource","iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails",
"iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy","kms:Describe*",
"kms:Get*","kms:List*","lambda:GetAccountSettings","lambda:GetFunctionCodeSigningConfig",
"lambda:GetFunctionConcurrency","lambda:GetFunctionConfiguration","lambda:GetFunctionEventInvokeConfig",
"lambda:GetLayerVersionPolicy","lambda:GetPolicy","lambda:GetRuntimeManagementConfig","lambda:List*",
"logs:Describe*","logs:GetLogDelivery","logs:ListLogDeliveries","logs:ListTagsForResource",
"logs:ListTagsLogGroup","rds:Describe*","rds:DownloadDBLogFilePortion","rds:ListTagsForResource",
"s3:DescribeJob","s3:GetAccelerateConfiguration","s3:GetAccountPublicAccessBlock",
"s3:GetAnalyticsConfiguration","s3:GetBucket*","s3:GetEncryptionConfiguration",
"s3:GetInventoryConfiguration","s3:GetLifecycleConfiguration","s3:GetMetricsConfiguration",
"s3:GetObjectAcl","s3:GetObjectTagging","s3:GetObjectVersionAcl","s3:GetReplicationConfiguration",
"s3:ListAllMyBuckets","s3:ListBucket","s3:ListJobs","secretsmanager:DescribeSecret",
"secretsmanager:GetResourcePolicy","secretsmanager:ListSecrets","secretsmanager:ListSecretVersionIds",
"servicequotas:GetAssociationForServiceQuotaTemplate","servicequotas:GetAWSDefaultServiceQuota",
"servicequotas:GetRequestedServiceQuotaChange","servicequotas:GetServiceQuota",
"servicequotas:GetServiceQuotaIncreaseRequestFromTemplate","servicequotas:ListAWSDefaultServiceQuotas",
"servicequotas:ListRequestedServiceQuotaChangeHistory",
"servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
"servicequotas:ListServiceQuotaIncreaseRequestsInTemplate","servicequotas:ListServiceQuotas",
"servicequotas:ListServices","servicequotas:ListTagsForResource","sqs:GetQueueAttributes",
"sqs:ListDeadLetterSourceQueues","sqs:ListQueues","sqs:ListQueueTags","ssm:Describe*",
"ssm:GetAutomationExecution","ssm:GetServiceSetting","ssm:ListAssociations","ssm:ListAssociationVersions",
"ssm:ListCommands","ssm:ListComplianceItems","ssm:ListComplianceSummaries",
"ssm:ListDocumentMetadataHistory","ssm:ListDocuments","ssm:ListDocumentVersions",
"ssm:ListInventoryEntries","ssm:ListOpsMetadata","ssm:ListResourceComplianceSummaries",
"ssm:ListResourceDataSync","ssm:ListTagsForResource","sts:GetAccessKeyInfo",
"support:DescribeTrustedAdvisorCheckRefreshStatuses","support:DescribeTrustedAdvisorCheckResult",
"support:DescribeTrustedAdvisorChecks","support:DescribeTrustedAdvisorCheckSummaries"],"Resource":"*"}}"#,
    ),
    (
        "job-function/ViewOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["athena:List*","dynamodb:DescribeBackup",
"dynamodb:DescribeContinuousBackups","dynamodb:DescribeLimits","dynamodb:DescribeStream",
"dynamodb:DescribeTable","dynamodb:DescribeTimeToLive","dynamodb:ListBackups","dynamodb:ListExports",
"dynamodb:ListStreams","dynamodb:ListTables","dynamodb:ListTagsOfResource","ec2:DescribeImage*",
"ec2:DescribeInstance*","ec2:DescribeKeyPairs","ec2:DescribeRegions","ec2:DescribeSecurityGroups",
"ec2:DescribeSnapshot*","ec2:DescribeSubnets","ec2:DescribeTags","ec2:DescribeVolume*","ec2:DescribeVpc*",
"ecr:DescribeRegistry","ecr:DescribeRepositories","ecr:ListImages","iam:GetAccountSummary",
"iam:GetLoginProfile","iam:List*","kms:ListKeys","kms:ListResourceTags","lambda:List*","logs:Describe*",
"logs:GetTransformer","logs:ListLogGroupsForQuery","logs:ListTagsForResource","rds:Describe*",
"s3:ListAllMyBuckets","s3:ListBucket","sqs:GetQueueAttributes","sqs:GetQueueUrl",
"sqs:ListDeadLetterSourceQueues","sqs:ListMessageMoveTasks","sqs:ListQueues","sqs:ListQueueTags",
"ssm:ListAssociations","ssm:ListDocuments"],"Resource":"*"}}"#,
    ),
    (
        "AWSSupportAccess",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["support:*","support-console:*"],
"Resource":"*"}}"#,
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
#[must_use]
pub fn text(arn: &str) -> Option<&'static str> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    KNOWN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, document)| *document)
}
