"""Whether MiniStack enforces what the tests rely on it for: reads a world's JSON line (ministack_world.py)
on standard input, tries each rule with boto3 and prints `{"rule": [wanted, got], …}`. Exit 1 when one differs.

An emulator that lets everything pass would make every test that uses it worthless.
"""

import json
import os
import sys

os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

world = json.loads(sys.stdin.readline())
ROLE, UNTAGGED = world["role_arn"], world["untagged_role_arn"]
GET_ONLY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{world['bucket']}/*"}],
    }
)
TAGS = [{"Key": "Team", "Value": "sre"}]


def client(service, key_id, secret, token=None):
    return boto3.client(
        service,
        endpoint_url=world["endpoint"],
        region_name=world["region"],
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def outcome(call, **parameters):
    """`ok`, or AWS's error code."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


def session(role=ROLE, **more):
    answer = alice.assume_role(RoleArn=role, RoleSessionName="teeth", ExternalId=world["external_id"], **more)
    return answer["Credentials"]


def assume(role=ROLE, external_id=world["external_id"], caller=None, **more):
    return outcome(
        (caller or alice).assume_role, RoleArn=role, RoleSessionName="teeth", ExternalId=external_id, **more
    )


def s3(credentials, token=None):
    token = token or credentials["SessionToken"]
    return client("s3", credentials["AccessKeyId"], credentials["SecretAccessKey"], token)


def get(store):
    return outcome(store.get_object, Bucket=world["bucket"], Key=world["key"])


def put(store):
    return outcome(store.put_object, Bucket=world["bucket"], Key="written", Body=b"x")


alice = client("sts", world["access_key_id"], world["secret_access_key"])
stranger = client("sts", world["access_key_id"], "not-her-secret")
unknown = client("sts", "AKIAIOSFODNN7EXAMPLE", "unknown")
full, narrowed = s3(session()), s3(session(Policy=GET_ONLY))
managed = s3(session(PolicyArns=[{"arn": world["read_only_policy_arn"]}]))
own = s3({"AccessKeyId": world["access_key_id"], "SecretAccessKey": world["secret_access_key"], "SessionToken": None})

rules = {
    "her key is known": ["ok", outcome(alice.get_caller_identity)],
    "a wrong secret is refused": ["SignatureDoesNotMatch", outcome(stranger.get_caller_identity)],
    "an unknown key is refused": ["InvalidClientTokenId", outcome(unknown.get_caller_identity)],
    "a session without a policy may read": ["ok", get(full)],
    "a session without a policy may write": ["ok", put(full)],
    "an inline policy lets read": ["ok", get(narrowed)],
    "an inline policy keeps from writing": ["AccessDenied", put(narrowed)],
    "a managed policy lets read": ["ok", get(managed)],
    "a managed policy keeps from writing": ["AccessDenied", put(managed)],
    "a wrong session token is refused": ["InvalidToken", get(s3(session(), token="wrong"))],
    "she herself may not read": ["AccessDenied", get(own)],
    "a wrong external id is refused": ["AccessDenied", assume(external_id="wrong")],
    "tags need sts:TagSession: allowed": ["ok", assume(Tags=TAGS)],
    "tags need sts:TagSession: refused": ["AccessDenied", assume(role=UNTAGGED, Tags=TAGS)],
    "the same role without tags is hers": ["ok", assume(role=UNTAGGED)],
    "a role that is not there is refused": ["AccessDenied", assume(role=ROLE + "s")],
    "an unknown managed policy is refused": [
        "ValidationError",
        assume(PolicyArns=[{"arn": world["read_only_policy_arn"] + "s"}]),
    ],
    "a policy that is no policy is refused": ["MalformedPolicyDocument", assume(Policy='{"Version":1}')],
    "tag keys that differ in case only are refused": [
        "InvalidParameterValue",
        assume(Tags=[*TAGS, {"Key": "team", "Value": "x"}]),
    ],
}
print(json.dumps(rules, indent=1))
sys.exit(any(wanted != got for wanted, got in rules.values()))
