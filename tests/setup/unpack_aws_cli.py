"""Unpacks the program `aws` of a layer archive (awscli/v2/VERSION/dist/…) with its modes.

    unpack_aws_cli.py ARCHIVE FOLDER
"""

import re
import sys
import zipfile
from pathlib import Path

INSIDE = re.compile(r"awscli/v2/[\d.]+/dist/(?P<path>.+[^/])")


def main(archive, folder):
    count = 0
    with zipfile.ZipFile(archive) as layer:
        for entry in layer.infolist():
            inside = INSIDE.fullmatch(entry.filename)
            if not inside:
                continue
            place = Path(folder, inside["path"])
            if ".." in place.parts:
                sys.exit(f"{entry.filename} leads out of its folder")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(layer.read(entry))
            place.chmod((entry.external_attr >> 16) & 0o755 | 0o600)
            count += 1
    if not count:
        sys.exit(f"{archive} has another shape than awscli/v2/VERSION/dist")


main(*sys.argv[1:])
