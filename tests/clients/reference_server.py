"""A small IMDSv2 and container-credentials server of plain Python: what a client really sends, seen from outside.

    reference_server.py [--life SECONDS] [--delay SECONDS] [--token-status N] [--data-status N]
                        [--container-status N] [--region NAME] [--body TEXT]

Credentials are canned and well-formed: the access key id counts the fetches. `POST /` plays GetCallerIdentity
and checks nothing. The first line on standard output is JSON: {"url", "container", "token", "role"}. Each request
is one more: {"method", "target", "headers": [[name, value], …], "status"}, in the order of arrival, headers
as they came. A client that takes it for a proxy is answered too: its target begins with http://. Ends when
standard input closes. On loopback only; for trials, not a part of any product.
"""

import argparse
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROLE = "Reference"
TOKEN = "cmVmZXJlbmNlLXRva2VuLW9mLXRoaXJ0eS10d28tYnl0ZXM"
IMDS_TOKEN = "aW1kcy10b2tlbi1vZi10aGUtcmVmZXJlbmNlLXNlcnZlcg=="
CREDENTIALS = "/latest/meta-data/iam/security-credentials"
IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::222222222222:assumed-role/Reference/{key}</Arn><UserId>AROAREFERENCE0000000:{key}</UserId>
<Account>222222222222</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>0</RequestId>
</ResponseMetadata></GetCallerIdentityResponse>"""


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--life", type=int, default=3600)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--token-status", type=int, default=200)
    parser.add_argument("--data-status", type=int, default=200)
    parser.add_argument("--container-status", type=int, default=200)
    parser.add_argument("--region")
    parser.add_argument("--body", help="of an answer that is an error")
    return parser.parse_args()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, told):
        super().__init__(("127.0.0.1", 0), Reference)
        self.told = told
        self.lock = threading.Lock()
        self.fetches = 0

    def say(self, value):
        with self.lock:
            print(json.dumps(value), flush=True)

    def credentials(self):
        with self.lock:
            self.fetches += 1
            count = self.fetches
        stamp = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        return {
            "Code": "Success",
            "LastUpdated": stamp(time.time()),
            "Type": "AWS-HMAC",
            "AccessKeyId": f"ASIAREFERENCE{count:07}",
            "SecretAccessKey": "reference+secret/access+key0000000000000",
            "Token": "cmVmZXJlbmNlLXNlc3Npb24tdG9rZW4=" * 8,
            "Expiration": stamp(time.time() + self.told.life),
        }


class Reference(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="text/plain", **headers):
        """One answer and one line about it; the line is written first, so that whoever has the answer has it."""
        self.server.say(
            {
                "method": self.command,
                "target": self.path,
                "headers": list(self.headers.items()),
                "status": status,
            }
        )
        time.sleep(self.server.told.delay if kind != "text/xml" else 0)
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status):
        self.answer(status, self.server.told.body or f"refused with {status}")

    def path_of(self):
        """The path, also of a request that came as to a proxy."""
        return re.sub(r"^http://[^/]+", "", self.path)

    def do_PUT(self):
        life = self.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if self.server.told.token_status != 200:
            self.refuse(self.server.told.token_status)
        elif self.path_of() != "/latest/api/token" or not life.isdigit() or not 1 <= int(life) <= 21600:
            self.refuse(400)
        else:
            self.answer(200, IMDS_TOKEN, X_Aws_Ec2_Metadata_Token_Ttl_Seconds=life)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        key = re.search(r"Credential=(\w+)/", self.headers.get("Authorization", ""))
        self.answer(200, IDENTITY.format(key=key[1] if key else "unsigned"), kind="text/xml")

    def do_GET(self):
        if self.path_of().startswith("/container/"):
            self.container()
        else:
            self.imds()

    def container(self):
        if self.headers.get_all("Authorization") != [TOKEN]:
            self.refuse(403)
        elif self.server.told.container_status != 200:
            self.refuse(self.server.told.container_status)
        else:
            whole = self.server.credentials()
            kept = {name: whole[name] for name in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")}
            self.answer(200, json.dumps(kept), kind="application/json")

    def imds(self):
        region, path = self.server.told.region, self.path_of()
        if self.headers.get_all("X-aws-ec2-metadata-token") != [IMDS_TOKEN]:
            self.refuse(401)
        elif self.server.told.data_status != 200:
            self.refuse(self.server.told.data_status)
        elif path.rstrip("/") == CREDENTIALS:
            self.answer(200, ROLE)
        elif path.rstrip("/") == f"{CREDENTIALS}/{ROLE}":
            self.answer(200, json.dumps(self.server.credentials()))
        elif region and path == "/latest/meta-data/placement/region":
            self.answer(200, region)
        elif region and path.rstrip("/") == "/latest/meta-data/placement/availability-zone":
            self.answer(200, region + "a")
        else:
            self.refuse(404)


def main():
    server = Server(options())
    url = "http://127.0.0.1:%d" % server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.say({"url": url, "container": f"{url}/container/one", "token": TOKEN, "role": ROLE})
    sys.stdin.read()
    os._exit(0)


main()
