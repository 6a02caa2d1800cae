"""Compares what `newswire import` and trafilatura find in pages of HTML, field by field, with what is expected.

    python tests/foreign/html_report.py NEWSWIRE FOLDER

NEWSWIRE is the program; FOLDER has pages as NAME.html, each with NAME.expected.json (the form of the files in
crates/import/samples/html). Trafilatura tells no editors and no source: there it is right only where the page has none.
Needs trafilatura==2.3.1 and lxml_html_clean, which the tests do not.
"""

import json
import pathlib
import re
import subprocess
import sys

import trafilatura

FIELDS = [
    "headline", "date", "authors", "editors", "source", "section", "language", "canonical_url",
    "first paragraph", "last paragraph", "paragraphs", "no furniture", "pictures",
]


def glued(text):
    return re.sub(r"\s", "", text or "")


def ours(program, path):
    ran = subprocess.run([program, "import", "--json", "--trace", path], capture_output=True, text=True, check=False)
    answer = json.loads(ran.stdout.splitlines()[0])
    if "draft" not in answer:
        return None
    draft = answer["draft"]
    people = draft.get("contributors", [])
    trace = {entry["field"]: entry["value"] for entry in answer["trace"]}
    return {
        "headline": draft["headline"],
        "date": draft["published"]["at"],
        "authors": [person["name"] for person in people if person["role"] == "author"],
        "editors": [person["name"] for person in people if person["role"] == "editor"],
        "source": (draft.get("sources") or [{}])[0].get("name"),
        "section": (draft.get("section") or [None])[0],
        "language": draft["language"],
        "canonical_url": draft.get("canonical_url"),
        "paragraphs": trace["body"].split("\n"),
        "pictures": draft["body"].count("<img "),
    }


def theirs(path):
    found = trafilatura.bare_extraction(path.read_bytes(), with_metadata=True, include_images=True, include_comments=False)
    if found is None:
        return None
    found = found if isinstance(found, dict) else found.as_dict()
    text = found.get("text") or ""
    return {
        "headline": found.get("title"),
        "date": found.get("date"),
        "authors": [name for name in re.split(r"; ?", found.get("author") or "") if name],
        "editors": [],
        "source": None,
        "section": (found.get("categories") or [None])[0],
        "language": found.get("language"),
        "canonical_url": found.get("url"),
        "paragraphs": [line for line in text.split("\n") if line.strip() and not line.startswith("![")],
        "pictures": text.count("!["),
    }


def judged(found, expected):
    """Right or wrong for each field that the expectation states."""
    right = {}
    for field in ["headline", "source", "section", "canonical_url"]:
        if field in expected:
            right[field] = glued(found[field]) == glued(expected[field])
    for field in ["authors", "editors"]:
        if field in expected:
            right[field] = [glued(name) for name in found[field]] == [glued(name) for name in expected[field]]
    date = expected.get("date", {})
    if "value" in date:
        # The day is all that a general extractor tells.
        right["date"] = (found["date"] or "")[:10] == date["value"][:10]
    if "language" in expected:
        right["language"] = (found["language"] or "").split("-")[0] == expected["language"].split("-")[0]
    paragraphs = [glued(paragraph) for paragraph in found["paragraphs"]]
    for field, key in [("first paragraph", "first_paragraph"), ("last paragraph", "last_paragraph")]:
        if key in expected:
            right[field] = glued(expected[key]) in paragraphs
    if "paragraphs_min" in expected:
        right["paragraphs"] = len(paragraphs) >= expected["paragraphs_min"]
    if "must_not_contain" in expected:
        body = "".join(paragraphs)
        right["no furniture"] = not any(glued(text) in body for text in expected["must_not_contain"])
    if "images_min" in expected:
        right["pictures"] = found["pictures"] >= expected["images_min"]
    return right


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    counts = {field: [0, 0, 0] for field in FIELDS}
    for path in sorted(folder.glob("*.html")):
        expected = json.loads(path.with_suffix(".expected.json").read_text())
        for column, found in enumerate([ours(program, path), theirs(path)]):
            empty = dict.fromkeys(["headline", "date", "source", "section", "language", "canonical_url"])
            empty |= {"authors": ["?"], "editors": ["?"], "paragraphs": [], "pictures": -1}
            for field, right in judged(found or empty, expected).items():
                counts[field][column] += right
                counts[field][2] += column == 0
    print(f"{'field':16} {'newswire':>9} {'trafilatura':>12}   of")
    for field, (mine, other, all_of) in counts.items():
        print(f"{field:16} {mine:9} {other:12} {all_of:4}")


if __name__ == "__main__":
    main()
