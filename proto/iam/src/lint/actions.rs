//! What an action does, by its name: whether it reads, and whether it reads data.
//!
//! AWS gives each action an access level, and its names follow it: of some 10,000 actions that change
//! something all but those of `READS_BY_NAME_ONLY` begin with another verb than these. So a verb
//! tells for actions that come later too. The tests hold this against a full list.

use super::pattern::may_overlap;

/// What the names of actions begin with that read, in lower case.
const READING: [&str; 29] = [
    "analyze",
    "batchcheck",
    "batchdescribe",
    "batchget",
    "batchlist",
    "calculate",
    "check",
    "compare",
    "conditioncheck",
    "count",
    "describe",
    "detect",
    "estimate",
    "filter",
    "find",
    "get",
    "head",
    "infer",
    "list",
    "lookup",
    "preview",
    "query",
    "read",
    "render",
    "scan",
    "search",
    "simulate",
    "validate",
    "view",
];

/// Actions that begin like those that read, and hand out credentials or change something.
const READS_BY_NAME_ONLY: [&str; 19] = [
    "cloudshell:getfileuploadurls",
    "cognito-identity:getid",
    "elasticmapreduce:getclustersessioncredentials",
    "elasticmapreduce:getonclusterappuipresignedurl",
    "elasticmapreduce:getpersistentappuipresignedurl",
    "emr-containers:getmanagedendpointsessioncredentials",
    "lakeformation:getdataaccess",
    "license-manager:checkinlicense",
    "license-manager:checkoutborrowlicense",
    "license-manager:checkoutlicense",
    "lightsail:getinstanceaccessdetails",
    "lookoutmetrics:detectmetricsetconfig",
    "managedblockchain:get",
    "redshift-serverless:getcredentials",
    "redshift:getclustercredentials",
    "redshift:getclustercredentialswithiam",
    "security-ir:getcaseattachmentuploadurl",
    "states:getactivitytask",
    "sts:getfederationtoken",
];

/// Actions that show what is in objects, rows, messages, secrets, code and logs.
const DATA: [&str; 72] = [
    "appconfig:getconfiguration",
    "appconfig:getlatestconfiguration",
    "athena:getqueryresults",
    "athena:getqueryresultsstream",
    "backup-storage:getchunk",
    "backup-storage:getobjectmetadata",
    "cassandra:select",
    "cloudtrail:getqueryresults",
    "codeartifact:getpackageversionasset",
    "codeartifact:readfromrepository",
    "codecommit:getblob",
    "codecommit:getdifferences",
    "codecommit:getfile",
    "codecommit:getfolder",
    "codecommit:gitpull",
    "dax:batchgetitem",
    "dax:getitem",
    "dax:query",
    "dax:scan",
    "dynamodb:batchgetitem",
    "dynamodb:getitem",
    "dynamodb:getrecords",
    "dynamodb:partiqlselect",
    "dynamodb:query",
    "dynamodb:scan",
    "ebs:getsnapshotblock",
    "ec2:getconsoleoutput",
    "ec2:getconsolescreenshot",
    "ec2:getpassworddata",
    "ecr:batchgetimage",
    "ecr:getdownloadurlforlayer",
    "es:eshttpget",
    "es:eshttppost",
    "glacier:getjoboutput",
    "iot:getretainedmessage",
    "iot:getthingshadow",
    "kinesis:getrecords",
    "kinesis:subscribetoshard",
    "kinesisvideo:getclip",
    "kinesisvideo:getmedia",
    "kms:decrypt",
    "lambda:getfunction",
    "lambda:getlayerversion",
    "lightsail:getrelationaldatabasemasteruserpassword",
    "logs:filterlogevents",
    "logs:getlogevents",
    "logs:getlogrecord",
    "logs:getqueryresults",
    "logs:startlivetail",
    "logs:startquery",
    "logs:unmask",
    "neptune-db:readdataviaquery",
    "qldb:partiqlselect",
    "rds-data:executestatement",
    "rds:downloadcompletedblogfile",
    "rds:downloaddblogfileportion",
    "redshift-data:getstatementresult",
    "s3-object-lambda:getobject",
    "s3-outposts:getobject",
    "s3:getobject",
    "s3:getobjecttorrent",
    "s3:getobjectversion",
    "s3:getobjectversiontorrent",
    "sdb:select",
    "secretsmanager:batchgetsecretvalue",
    "secretsmanager:getsecretvalue",
    "sqs:receivemessage",
    "ssm:getparameter",
    "ssm:getparameterhistory",
    "ssm:getparameters",
    "ssm:getparametersbypath",
    "timestream:select",
];

/// Whether all that this pattern of actions matches only reads.
#[must_use]
pub fn only_reads(pattern: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let Some((_, name)) = pattern.split_once(':') else {
        return false;
    };
    READING.iter().any(|verb| name.starts_with(verb))
        && !READS_BY_NAME_ONLY
            .iter()
            .any(|other| may_overlap(&pattern, other))
}

/// The actions that read data, in lower case.
pub fn data_reads() -> impl Iterator<Item = &'static str> {
    DATA.into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::pattern::covers;
    use super::*;

    #[test]
    fn what_reads() {
        for (pattern, expected) in [
            ("s3:GetObject", true),
            ("s3:Get*", true),
            ("S3:LIST*", true),
            ("s3:G*", false),
            ("s3:*", false),
            ("*", false),
            ("s3:PutObject", false),
            ("redshift:GetClusterCredentials", false),
            ("redshift:Get*", false),
            ("redshift:Describe*", true),
            ("sts:AssumeRole", false),
            ("ec2:*Describe", false),
        ] {
            assert_eq!(only_reads(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_reads_data() {
        let of = |pattern: &str| {
            let pattern = pattern.to_ascii_lowercase();
            data_reads()
                .filter(|action| covers(&pattern, action))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("s3:GetObject"), ["s3:getobject"]);
        assert_eq!(of("kms:*"), ["kms:decrypt"]);
        assert_eq!(of("*").len(), DATA.len());
        assert!(of("s3:GetObjectTagging").is_empty());
        assert!(of("s3:List*").is_empty());
    }

    #[test]
    fn the_lists_are_sorted_and_in_lower_case() {
        assert!(READING.is_sorted() && READS_BY_NAME_ONLY.is_sorted() && DATA.is_sorted());
        let all = READING.iter().chain(&READS_BY_NAME_ONLY).chain(&DATA);
        for name in all {
            assert_eq!(*name, name.to_lowercase());
        }
    }
}
