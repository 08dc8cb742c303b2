"""boto3 as an application uses it: one client for its whole life, credentials from the default chain.

    boto3_whoami.py [--hold N]

One GetCallerIdentity, or N, each when a line comes on standard input. Prints one JSON line for each. The first
failure ends it: the error's own text on standard error, status 1.
"""

import argparse
import json
import re
import sys

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def signer(seen):
    """Notes which key signed the request: asking the session for it could start a refresh."""

    def note(request, **_):
        signed = request.headers["Authorization"]
        text = signed.decode() if isinstance(signed, bytes) else signed
        seen["key"] = re.search(r"Credential=(\w+)/", text)[1]

    return note


def expiration(session):
    credentials = session.get_credentials()
    time = getattr(credentials, "_expiry_time", None)
    return time and time.strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hold", type=int, default=0)
    held = parser.parse_args().hold
    seen = {}
    session = boto3.Session()
    # A failed call is the test's to see, not boto3's to hide by trying again.
    sts = session.client("sts", config=Config(retries={"total_max_attempts": 1}))
    sts.meta.events.register("before-send.sts", signer(seen))
    for _ in range(held or 1):
        if held and not sys.stdin.readline():
            break
        arn = sts.get_caller_identity()["Arn"]
        told = {
            "client": "boto3",
            "version": botocore.__version__,
            "arn": arn,
            "access_key_id": seen["key"],
            "expiration": expiration(session),
        }
        print(json.dumps(told), flush=True)


try:
    main()
except (BotoCoreError, ClientError, ValueError, RuntimeError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
