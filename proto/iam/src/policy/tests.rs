//! Tests of policy documents.
#![allow(clippy::unwrap_used)]

use super::PolicyDocument;

/// The policy of the slide that repeats a condition key.
const SLIDE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "ssm:StartSession",
      "Resource": "arn:aws:ec2:*:*:instance/*",
      "Condition": {
        "StringEquals": {
          "ssm:resourceTag/Name": "Production",
          "ssm:resourceTag/Name": "Develop"
        }
      }
    }
  ]
}"#;

#[test]
fn the_slides_repeated_condition_key_is_refused_with_both_places() {
    let error = PolicyDocument::parse(SLIDE).unwrap_err();
    assert_eq!((error.line(), error.column()), (11, 11));
    assert_eq!(
        error.to_string(),
        "line 11, column 11: key \"ssm:resourceTag/Name\" is there already at line 10, column 11; \
         readers disagree which of the two counts"
    );
}
