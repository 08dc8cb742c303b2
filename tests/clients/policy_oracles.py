"""What others say of policies: parliament, and cfn-lint on a template that holds each.

policy_oracles.py FILE... prints one line of JSON for each file: `file`, `parliament` and `cfn_lint`, lists of what
they call their findings. policy_oracles.py --levels prints what parliament's list of actions says of each one:
true if it changes something.
"""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

# Neither of the two asks the network; parliament carries its own list of actions.
TEMPLATE = '{"AWSTemplateFormatVersion":"2010-09-09","Resources":{"R":{"Type":"AWS::IAM::%s","Properties":{"%s":\n%s}}}}'


def parliament_says(text):
    from parliament import analyze_policy_string

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        findings = analyze_policy_string(text).findings
    return sorted({finding.issue for finding in findings})


def cfn_lint_says(text):
    from cfnlint.api import lint

    where = ("Role", "AssumeRolePolicyDocument") if '"Principal"' in text else ("ManagedPolicy", "PolicyDocument")
    matches = lint(TEMPLATE % (*where, text))
    return sorted({match.rule.id for match in matches})


def levels():
    import parliament

    changes = {}
    for service in parliament.iam_definition:
        for privilege in service["privileges"]:
            action = f"{service['prefix']}:{privilege['privilege']}"
            reads = privilege["access_level"] in ("Read", "List")
            changes[action] = changes.get(action, True) and not reads
    return changes


if sys.argv[1:] == ["--levels"]:
    print(json.dumps(levels()))
else:
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            content = file.read()
        said = {"file": name, "parliament": parliament_says(content), "cfn_lint": cfn_lint_says(content)}
        print(json.dumps(said))
