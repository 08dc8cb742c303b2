"""boto3 as an application uses it: one session, many calls, credentials from `credential_process`.

    boto3_process.py PROFILE [--calls N] [--get BUCKET/KEY] [--put BUCKET/KEY]

AWS_CONFIG_FILE names the file with the profile, AWS_ENDPOINT_URL the server. Half of the calls are
GetCallerIdentity, the others GetObject (all GetCallerIdentity without --get). Prints one JSON line
{"arn", "account", "calls", "body", "put"}, where `put` is "ok" or AWS's error code. How often boto3 started
the process is for the test to count, by a program of its own in the profile.
"""

import argparse
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("profile")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--get")
    parser.add_argument("--put")
    return parser.parse_args()


def place(text):
    bucket, key = text.split("/", 1)
    return {"Bucket": bucket, "Key": key}


def outcome(call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


def main():
    asked = arguments()
    session = boto3.Session(profile_name=asked.profile)
    # A failed call is the test's to see, not boto3's to hide by trying again.
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    sts, s3 = session.client("sts", config=config), session.client("s3", config=config)
    told = {"calls": 0}
    for turn in range(asked.calls):
        if asked.get and turn % 2:
            told["body"] = s3.get_object(**place(asked.get))["Body"].read().decode()
        else:
            answer = sts.get_caller_identity()
            told.update(arn=answer["Arn"], account=answer["Account"])
        told["calls"] += 1
    if asked.put:
        told["put"] = outcome(s3.put_object, Body=b"x", **place(asked.put))
    print(json.dumps(told))


main()
