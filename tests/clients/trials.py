"""What each real client accepts and sends, found by trial against reference_server.py.

    trials.py [--client NAME]… [--write]

Prints one line for each client and trial: whether the call worked, how often credentials were fetched, how many
requests there were, the time, the last line of an error. --write puts the sequences of requests into
sequences.json, which the tests compare with. Takes six minutes; nothing of Jumpgate takes part.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHOWN = {"x-aws-ec2-metadata-token-ttl-seconds", "accept", "accept-encoding", "content-length", "connection"}
REGION = {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
PROBLEM = json.dumps({"code": "Locked", "message": "unlock it", "Code": "Locked", "Message": "unlock it"})


class Reference:
    """The server, started with these options; `requests` after its end."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "reference_server.py", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = json.loads(self.process.stdout.readline())
        self.url, self.container, self.token = told["url"], told["container"], told["token"]

    def requests(self):
        out, _ = self.process.communicate()
        return [json.loads(line) for line in out.splitlines()]


def run(client, interface, environment, hold=0):
    """The client in an environment of its own. With `hold`, that many calls in one process."""
    with tempfile.TemporaryDirectory() as home:
        whole = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            **environment,
        }
        words = [HERE / "whoami", client, interface, *(["--hold", str(hold)] if hold else [])]
        began = time.monotonic()
        ran = subprocess.run(words, env=whole, input="\n" * hold, capture_output=True, text=True)
        return ran, time.monotonic() - began


def imds(server, slash=""):
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url + slash}


def container(server, folder, variable=None, file=None):
    told = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.container, "AWS_EC2_METADATA_DISABLED": "true"}
    if variable is not None:
        told["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = variable
    if file is not None:
        path = Path(folder, "token")
        path.write_text(file)
        told["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(path)
    return told


def process(server, folder, script):
    """A profile whose credential_process is this shell script."""
    program, config = Path(folder, "process"), Path(folder, "config")
    program.write_text(f"#!/bin/sh\necho run >>{folder}/runs\n{script}\n")
    program.chmod(0o700)
    config.write_text(f"[profile dev]\ncredential_process = {program} dev\n")
    return {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "dev", "AWS_EC2_METADATA_DISABLED": "true"}


def canned(life):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + life))
    keys = {"Version": 1, "AccessKeyId": "ASIAPROCESS0000000001", "SecretAccessKey": "s" * 40}
    return "echo '%s'" % json.dumps({**keys, "SessionToken": "t" * 200, "Expiration": stamp})


def proxied(server, **more):
    names = ("HTTP_PROXY", "http_proxy")
    return {**{name: server.url for name in names}, **more}


BOTH = dict(variable="{token}", file="{token}")
NO_PROXY = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
# Name, interface, options of the server, calls, and the environment: a function of server and folder.
TRIALS = [
    ("imds", "imds", [], 0, lambda s, f: {**REGION, **imds(s)}),
    ("imds slash", "imds", [], 0, lambda s, f: {**REGION, **imds(s, "/")}),
    ("imds region served", "imds", ["--region", "eu-west-3"], 0, lambda s, f: imds(s)),
    ("imds region served, slash", "imds", ["--region", "eu-west-3"], 0, lambda s, f: imds(s, "/")),
    ("imds no region", "imds", [], 0, lambda s, f: imds(s, "/")),
    ("imds 4 min left, 3 calls", "imds", ["--life", "240"], 3, lambda s, f: {**REGION, **imds(s, "/")}),
    ("imds 14 min left, 3 calls", "imds", ["--life", "840"], 3, lambda s, f: {**REGION, **imds(s, "/")}),
    ("imds token 403", "imds", ["--token-status", "403"], 0, lambda s, f: {**REGION, **imds(s, "/")}),
    ("imds data 401", "imds", ["--data-status", "401"], 0, lambda s, f: {**REGION, **imds(s, "/")}),
    ("imds data 404", "imds", ["--data-status", "404"], 0, lambda s, f: {**REGION, **imds(s, "/")}),
    ("imds data 503", "imds", ["--data-status", "503"], 0, lambda s, f: {**REGION, **imds(s, "/")}),
    ("imds proxy", "imds", [], 0, lambda s, f: {**REGION, **imds(s, "/"), **proxied(s)}),
    ("imds proxy, NO_PROXY", "imds", [], 0, lambda s, f: {**REGION, **imds(s, "/"), **proxied(s, **NO_PROXY)}),
    ("container variable", "container", [], 0, lambda s, f: {**REGION, **container(s, f, variable=s.token)}),
    ("container file", "container", [], 0, lambda s, f: {**REGION, **container(s, f, file=s.token)}),
    ("container both", "container", [], 0, lambda s, f: {**REGION, **container(s, f, s.token, s.token)}),
    ("container both, file wrong", "container", [], 0, lambda s, f: {**REGION, **container(s, f, s.token, "x")}),
    ("container file with newline", "container", [], 0, lambda s, f: {**REGION, **container(s, f, file=s.token + "\n")}),
    ("container AWS_REGION alone", "container", [], 0, lambda s, f: {"AWS_REGION": "eu-central-1", **container(s, f, s.token)}),
    ("container AWS_DEFAULT_REGION alone", "container", [], 0, lambda s, f: {"AWS_DEFAULT_REGION": "eu-central-1", **container(s, f, s.token)}),
    ("container no region", "container", [], 0, lambda s, f: container(s, f, s.token, s.token)),
    ("container 4 min left, 3 calls", "container", ["--life", "240"], 3, lambda s, f: {**REGION, **container(s, f, s.token)}),
    ("container 6 min left, 3 calls", "container", ["--life", "360"], 3, lambda s, f: {**REGION, **container(s, f, s.token)}),
    ("container 14 min left, 3 calls", "container", ["--life", "840"], 3, lambda s, f: {**REGION, **container(s, f, s.token)}),
    ("container 16 min left, 3 calls", "container", ["--life", "960"], 3, lambda s, f: {**REGION, **container(s, f, s.token)}),
    ("container 403", "container", ["--container-status", "403", "--body", PROBLEM], 0, lambda s, f: {**REGION, **container(s, f, s.token)}),
    ("container 503", "container", ["--container-status", "503", "--body", PROBLEM], 0, lambda s, f: {**REGION, **container(s, f, s.token)}),
    ("container 0.8 s", "container", ["--delay", "0.8"], 0, lambda s, f: {**REGION, **container(s, f, s.token)}),
    ("container proxy", "container", [], 0, lambda s, f: {**REGION, **container(s, f, s.token), **proxied(s)}),
    ("container proxy, NO_PROXY", "container", [], 0, lambda s, f: {**REGION, **container(s, f, s.token), **proxied(s, **NO_PROXY)}),
    ("process 4 min left, 3 calls", "process", [], 3, lambda s, f: {**REGION, **process(s, f, canned(240))}),
    ("process 14 min left, 3 calls", "process", [], 3, lambda s, f: {**REGION, **process(s, f, canned(840))}),
    ("process 16 min left, 3 calls", "process", [], 3, lambda s, f: {**REGION, **process(s, f, canned(960))}),
    ("process refused", "process", [], 0, lambda s, f: {**REGION, **process(s, f, "echo 'jumpgate: locked' >&2; echo '  hint: unlock' >&2; exit 1")}),
]
RECORDED = {"imds slash": "imds", "imds region served, slash": "imds without a region", "container both": "container"}


def header(name, value, server):
    if name.lower() in SHOWN:
        return value
    if name.lower() == "host":
        return value.replace(server.url.removeprefix("http://"), "{host}:{port}").replace("127.0.0.1", "{host}")
    return re.match(r"[\w.-]*", value)[0] + "/…" if name.lower() == "user-agent" else "…"


def sequence(requests, server):
    """What the tests compare with: STS left out, headers in their order, only what is the same each time."""
    told = [request for request in requests if request["method"] != "POST"]
    return [
        {
            "method": request["method"],
            "target": request["target"].replace("/container/one", "{path}").replace("/Reference", "/{role}"),
            "headers": {name: header(name, value, server) for name, value in request["headers"]},
        }
        for request in told
    ]


def trial(client, name, interface, options, hold, environment):
    server = Reference(*options)
    with tempfile.TemporaryDirectory() as folder:
        given = {"AWS_ENDPOINT_URL": server.url, **environment(server, folder)}
        ran, took = run(client, interface, given, hold)
        runs = Path(folder, "runs")
        requests = server.requests()
        fetched = runs.read_text().count("run") if runs.exists() else sum(
            1 for r in requests if r["status"] == 200 and r["target"].endswith(("/Reference", "/container/one"))
        )
    own = [r for r in requests if r["method"] != "POST"]
    told = {
        "client": client,
        "trial": name,
        "works": ran.returncode == 0,
        "fetches": fetched,
        "requests": len(own),
        "to_proxy": sum(r["target"].startswith("http://") for r in own),
        "seconds": round(took, 1),
        "says": " | ".join(ran.stderr.strip().splitlines())[-300:],
    }
    print(json.dumps(told), flush=True)
    return told, sequence(requests, server)


def lines(sequences):
    """JSON with one request a line."""
    parts = []
    for client, interfaces in sequences.items():
        inner = []
        for interface, requests in interfaces.items():
            told = ",\n".join("   " + json.dumps(request, ensure_ascii=False) for request in requests)
            inner.append(f"  {json.dumps(interface)}: [\n{told}\n  ]")
        parts.append(f" {json.dumps(client)}: {{\n" + ",\n".join(inner) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", action="append")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    listed = subprocess.run([HERE / "whoami", "--list"], capture_output=True, text=True, check=True).stdout
    there = [line["client"] for line in map(json.loads, listed.splitlines()) if line["installed"]]
    sequences = {}
    for client in asked.client or there:
        for name, *rest in TRIALS:
            told, seen = trial(client, name, *rest)
            if told["works"] and name in RECORDED:
                sequences.setdefault(client, {})[RECORDED[name]] = seen
    if asked.write:
        Path(HERE, "sequences.json").write_text(lines(sequences))


main()
