"""Starts MiniStack on loopback with a world in it, and prints what a client must know as one JSON line.

The world: user alice in a jump account; in a second account a role Developer that trusts her with an
external id and lets her tag the session, a role Untagged that does not let her tag, a managed policy, and
a bucket with one object.

MiniStack lives until standard input closes, so a test that dies takes it along. It writes nothing but what
goes to standard error.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

JUMP, DEV = "111111111111", "222222222222"
REGION = "ap-northeast-1"
EXTERNAL_ID = "jumpgate-world"
BUCKET, KEY, BODY = "jumpgate-world", "hello.txt", b"hello from the other account\n"


def start(directory):
    """MiniStack on a socket that listens already: the first request waits until it is ready."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listener.getsockname()[1]
    environment = {
        "AUTH": "true",  # else every credential is accepted and no policy evaluated
        "GATEWAY_PORT": str(port),
        "HOME": directory,
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": "000000000000",  # the account of the key `test`, which is root there
        "PATH": os.environ["PATH"],
        "TMPDIR": directory,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "hypercorn", "--bind", f"fd://{listener.fileno()}", "ministack.app:app"],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        pass_fds=[listener.fileno()],
        preexec_fn=end_with_parent,
    )
    listener.close()
    return child, f"http://127.0.0.1:{port}"


def end_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def client(service, endpoint, account):
    """A client as the root of `account`: MiniStack takes a twelve-digit access key id for that."""
    # Imported late: botocore reads the environment.
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="any",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource="*"):
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def jump_account(endpoint):
    iam = client("iam", endpoint, JUMP)
    iam.create_user(UserName="alice")
    iam.put_user_policy(
        UserName="alice",
        PolicyName="AssumeInDev",
        PolicyDocument=document(
            allow(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], f"arn:aws:iam::{DEV}:role/*")
        ),
    )
    return iam.create_access_key(UserName="alice")["AccessKey"]


def role(iam, name, actions):
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{JUMP}:user/alice"},
        "Action": actions,
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    bucket = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    iam.put_role_policy(RoleName=name, PolicyName="Bucket", PolicyDocument=document(allow("s3:*", bucket)))
    return arn


def dev_account(endpoint):
    iam = client("iam", endpoint, DEV)
    s3 = client("s3", endpoint, DEV)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=BODY)
    read_only = iam.create_policy(PolicyName="ReadObjects", PolicyDocument=document(allow("s3:GetObject")))
    return {
        "role_arn": role(iam, "Developer", ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]),
        "untagged_role_arn": role(iam, "Untagged", "sts:AssumeRole"),
        "read_only_policy_arn": read_only["Policy"]["Arn"],
    }


def build(endpoint):
    key = jump_account(endpoint)
    return {
        "endpoint": endpoint,
        "region": REGION,
        "jump_account": JUMP,
        "dev_account": DEV,
        "user_arn": f"arn:aws:iam::{JUMP}:user/alice",
        "access_key_id": key["AccessKeyId"],
        "secret_access_key": key["SecretAccessKey"],
        "external_id": EXTERNAL_ID,
        "bucket": BUCKET,
        "key": KEY,
        "body": BODY.decode(),
        **dev_account(endpoint),
    }


def main():
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as directory:
        os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = f"{directory}/none"
        child, endpoint = start(directory)
        try:
            print(json.dumps(build(endpoint)), flush=True)
            sys.stdin.buffer.read()
        finally:
            child.terminate()
            child.wait()


main()
