"""Scores the mails (*.eml) of a folder, as a receiver would have them, and one that is spam, with `spamassassin -L`.

Writes JSON: {name: [score, rules]}.
"""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

RECEIVED = (
    b"Received: from mail.news.example (mail.news.example [93.184.215.14])\n"
    b"\tby mx.example.org (Postfix) with ESMTPS id 4F1k2M0abcz9sT\n"
    b"\tfor <reader@example.org>; Sun, 22 Nov 2026 10:00:06 +0000 (UTC)\n"
)
# The pattern by which every installation is tried (GTUBE).
SPAM = b"From: a@example.org\nSubject: x\n\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"


def score(raw):
    done = subprocess.run(["spamassassin", "-L"], input=RECEIVED + raw, capture_output=True, check=True)
    status = re.search(rb"^X-Spam-Status:.*?score=(-?[0-9.]+).*?tests=(.*?) autolearn", done.stdout, re.S | re.M)
    return float(status[1]), re.sub(rb"\s+", b"", status[2]).decode()


mails = {path.name: path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))} | {"spam": SPAM}
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    json.dump(dict(zip(mails, pool.map(score, mails.values()))), sys.stdout)
