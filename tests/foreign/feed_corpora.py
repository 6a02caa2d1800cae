"""Reads every feed below some folders three times: with feed-rs, with feedparser, and with ours, and compares.

    python tests/foreign/feed_corpora.py target/release/examples/read FOLDER...

The folders are anybody's collections of feeds, such as the tests of feed-rs and of feedparser; none is kept here.
A file may say in a comment how it was served, as feedparser's do: `Header: Content-type: text/xml`. Fails if one of
the two finds entries where ours finds none, or fewer than both of them.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

import feedparser

HEADER = re.compile(rb"Header:\s+Content-type:\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)
ENDINGS = {".xml", ".json", ".rss", ".atom", ".rdf"}


def served_as(data):
    header = HEADER.search(data.replace(b"\x00", b""))
    return header.group(1).decode("ascii", "replace") if header else None


def foreign(data, content_type):
    headers = {"content-location": "http://127.0.0.1:8097/"}
    if content_type:
        headers["content-type"] = content_type
    try:
        return feedparser.parse(data, response_headers=headers).entries
    except Exception as problem:  # whatever it fails with, it found nothing
        print(f"feedparser: {type(problem).__name__}: {problem}", file=sys.stderr)
        return []


def ours(binary, files):
    asked = "".join(json.dumps({"path": str(path), "content_type": kind}) + "\n" for path, _, kind in files)
    answers = subprocess.run([binary], input=asked.encode(), stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in answers.splitlines()]


def main():
    binary, *folders = sys.argv[1:]
    paths = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*") if path.suffix in ENDINGS)
    files = [(path, data := path.read_bytes(), served_as(data)) for path in paths]
    counts = collections.Counter()
    worse = []
    for (path, data, kind), mine in zip(files, ours(binary, files), strict=True):
        theirs = foreign(data, kind)
        plain = mine["feed_rs"] if isinstance(mine["feed_rs"], int) else 0
        found = len(mine["entries"])
        counts["files"] += 1
        for name, number in (("feed-rs", plain), ("feedparser", len(theirs)), ("ours", found)):
            counts[f"files with entries, {name}"] += number > 0
            counts[f"entries, {name}"] += number
        counts["feed-rs panics"] += mine["feed_rs"] == "panic"
        if found < max(plain, len(theirs)):
            worse.append(f"{path}: feed-rs {mine['feed_rs']}, feedparser {len(theirs)}, ours {found} {mine['error']}")
        for entry, other in zip(mine["entries"], theirs if len(theirs) == found else []):
            for field in ("id", "title", "link"):
                counts[f"{field}: feedparser has one"] += bool(other.get(field))
                counts[f"{field}: ours has none there"] += bool(other.get(field)) and not entry[field]
            for field in ("published", "updated"):
                counts[f"{field}: feedparser reads one"] += bool(other.get(f"{field}_parsed"))
        for entry in mine["entries"]:
            counts[f"drafts: {entry['draft'][:60]}"] += 1
    for name, number in counts.items():
        print(f"{number:7} {name}")
    print("\n".join(worse) or "nobody finds more than ours")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main())
