//! support, servicequotas and ssm: what sessions may there.

use crate::client::{Draft, Keys, Reply};
use crate::lab::{Bench, Lab, allow};
use jumpgate_tests::sts::Instance;

const INSTANCE: &str = "arn:aws:ec2:eu-west-1:222222222222:instance/i-0123456789abcdef0";
const START: &str = r#"{"Target":"i-0123456789abcdef0"}"#;
const START_WITH: &str = r#"{"Target":"i-0123456789abcdef0","DocumentName":"Port-Forwarding"}"#;

pub(crate) fn json(bench: &Bench, keys: &Keys, service: &str, target: &str, body: &str) -> Reply {
    let draft = Draft::new("POST", "/", service)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .body(body.as_bytes());
    bench.send(&draft, Some(keys))
}

/// A lab in which Open may also do `statement`, with a tagged instance.
fn lab_that_may(lab: Lab, statement: &str) -> Bench {
    lab.start(|world| {
        world.roles[0].policies.push(allow(statement));
        let instance = Instance::new("222222222222", "i-0123456789abcdef0");
        world.instances.push(instance.tag("Name", "Develop"));
    })
}

fn starts(lab: Lab, statement: &str, body: &str) -> String {
    let bench = lab_that_may(lab, statement);
    let keys = bench.session(&[]);
    json(&bench, &keys, "ssm", "AmazonSSM.StartSession", body).outcome()
}

pub(crate) fn operation_of_another_service(lab: Lab) -> String {
    let bench = lab_that_may(lab, r#""Action":"*","Resource":"*""#);
    let keys = bench.session(&[]);
    json(&bench, &keys, "support", "AmazonSSM.StartSession", START).outcome()
}

/// The role may all of support, the session's policy leaves describing.
pub(crate) fn case_without_permission(lab: Lab) -> String {
    let bench = lab_that_may(lab, r#""Action":"support:*","Resource":"*""#);
    let policy = allow(r#""Action":"support:Describe*","Resource":"*""#);
    let keys = bench.session(&[("Policy", &policy)]);
    let call = |operation: &str| {
        let target = format!("AWSSupport_20130415.{operation}");
        json(&bench, &keys, "support", &target, "{}").outcome()
    };
    assert_eq!(call("DescribeCases"), "200");
    call("CreateCase")
}

pub(crate) fn instance_by_its_tag(lab: Lab) -> String {
    let condition = r#""Condition":{"StringEquals":{"ssm:resourceTag/Name":["Develop"]}}"#;
    let statement = format!(r#""Action":"ssm:StartSession","Resource":"{INSTANCE}",{condition}"#);
    starts(lab, &statement, START)
}

pub(crate) fn document_not_allowed(lab: Lab) -> String {
    let statement = format!(r#""Action":"ssm:StartSession","Resource":"{INSTANCE}""#);
    assert_eq!(starts(lab, &statement, START), "200");
    starts(lab, &statement, START_WITH)
}

pub(crate) fn default_document_not_allowed(lab: Lab) -> String {
    let check = r#""Condition":{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}"#;
    let statement = |resources: &str| {
        format!(r#""Action":"ssm:StartSession","Resource":[{resources}],{check}"#)
    };
    let document = "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell";
    let both = statement(&format!(r#""{INSTANCE}","{document}""#));
    assert_eq!(starts(lab, &both, START), "200");
    starts(lab, &statement(&format!(r#""{INSTANCE}""#)), START)
}
