"""Reads a collection of our documents with validators and a reader of others, and compares what they find.

    FEEDS_TO=COLLECTION cargo test --release -p feed --test feeds collection -- --ignored
    python tests/foreign/validate_feeds.py COLLECTION --validator CLONE

COLLECTION is a folder, by an absolute path; CLONE is a clone of https://github.com/w3c/feedvalidator, which wants html5lib,
lxml and rdflib installed. Checking Atom against the schema of RFC 4287 wants rnc2rng; the schema is taken from the RFC in the
validator's documentation. Without --validator there are only feedparser and the schema of JSON Feed. Prints every kind of
warning with how often it was given and the first example. Fails if there is an error, a kind that ACCEPTED does not have, or
a field that the reader finds otherwise than it was written. docs/feeds.md argues for every kind in ACCEPTED.
"""

import argparse
import calendar
import collections
import html
import json
import multiprocessing
import pathlib
import re
import sys
import urllib.parse

import feedparser
import jsonschema

ACCEPTED = {
    "BadCharacters", "ContainsHTML", "ContainsUndeclaredHTML", "DuplicateItemSemantics", "ImplausibleDate",
    "IPv6Address", "MissingOutlineType", "NotBlank", "NotHtml", "ProblematicalRFC822Date", "SecurityRisk", "UnknownNamespace",
}
SCHEMA = pathlib.Path(__file__).with_name("json_feed.schema.json")
OWN_ADDRESS = re.compile(r'rel="self"[^>]*href="([^"]+)"')


def w3c(clone):
    """Reads a document with the W3C's validator: (severity, kind, example) of every event that is not praise."""
    sys.path.insert(0, str(pathlib.Path(clone) / "src"))
    import feedvalidator
    from feedvalidator import logging

    def severity(event):
        return "error" if isinstance(event, logging.Error) else "warning" if isinstance(event, logging.Warning) else "remark"

    def kind(event):
        # RFC 3986 has such hosts; the validator's expression has none.
        if "//[" in str(event.params.get("value")) and "Valid" not in type(event).__name__.removeprefix("Invalid"):
            return "warning", "IPv6Address"
        return severity(event), type(event).__name__

    def validate(text):
        own = OWN_ADDRESS.search(text)
        base = html.unescape(own.group(1)) if own else "https://news.example/feeds.opml"
        try:
            events = feedvalidator.validateString(text, firstOccurrenceOnly=0, base=base)["loggedEvents"]
        except logging.ValidationFailure as failure:
            events = [failure.event]
        for event in events:
            if not type(event).__name__.startswith("Valid"):
                yield *kind(event), f"{event.params.get('element')}: {event.params.get('value') or event.params.get('tag')}, line {event.params.get('line')}"

    return validate


def atom_schema(clone):
    """Appendix B of RFC 4287 as something that reads a document and tells the first mistake."""
    import rnc2rng
    from lxml import etree

    page = (pathlib.Path(clone) / "docs" / "rfc4287.html").read_text("latin-1")
    block = re.search(r"<pre>(.*?)</pre>", page[page.index('name="schema"') :], re.S).group(1)
    grammar = rnc2rng.dumps(rnc2rng.loads(html.unescape(re.sub("<[^>]+>", "", block))))
    # A prefix for no namespace, which XML has not.
    schema = etree.RelaxNG(etree.fromstring(grammar.replace('xmlns:local=""', "").encode()))

    def validate(text):
        if not schema.validate(etree.fromstring(text.encode(), etree.XMLParser(huge_tree=True))):
            yield "error", "RELAX NG", str(schema.error_log.last_error)

    return validate


def json_schema():
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())

    def validate(text):
        for problem in validator.iter_errors(json.loads(text)):
            yield "error", "JSON Schema", f"{problem.json_path}: {problem.message[:200]}"

    return validate


def same(found, expected):
    """The same words; readers take white space away, at both ends and where it is a line break."""
    return "".join((found or "").split()) == "".join((expected or "").split())


def differences(found, expected, is_atom):
    """What feedparser finds otherwise than it was written."""
    fields = {
        "title": (found.get("title"), expected["title"]),
        # It takes references in an RSS link for HTML once more; an address that holds one comes out changed.
        "link": (html.unescape(found.get("link", "")), html.unescape(expected["link"])),
        "summary": (
            found.get("summary") if is_atom else text_of(found.get("summary")),
            expected["summary"] if is_atom else expected["excerpt"],
        ),
        "authors": ("".join(author.get("name", "") for author in found.get("authors", [])), "".join(expected["authors"])),
    }
    content = (found.get("content") or [{}])[0].get("value", "")
    is_short = len(expected["content"]) > 10_000 and content.removesuffix("</div>").rstrip().endswith("</a></p>")
    for name, (one, other) in fields.items():
        if not same(one, other):
            # An Atom entry without a summary gets its content for one; what is shortened, what is left of it.
            if not (name == "summary" and (is_atom and other is None or is_short)):
                yield name, f"{one!r} for {other!r}"
    if not same(content, expected["content"]) and not is_short:
        yield "content", f"{content[:300]!r} for {expected['content'][:300]!r}"
    for name in ("published", "updated") if is_atom else ("published",):
        time = found.get(f"{name}_parsed")
        if not time or calendar.timegm(time) != expected[name]:
            yield name, f"{found.get(name)!r} for {expected[name]}"
    terms = {"".join(tag.get("term").split()) for tag in found.get("tags", [])}
    for category in expected["categories"]:
        term = category["term"] if is_atom else category["label"] or category["term"]
        if "".join(term.split()) not in terms:
            yield "category", f"{term!r} is not among {terms!r}"
    if not is_short:
        files = [file for file in expected["enclosures"] if is_atom or file["type"]][: None if is_atom else 1]
        links = [urllib.parse.unquote(file.get("href", "")) for file in found.get("enclosures", [])]
        if links != [urllib.parse.unquote(file["url"]) for file in files]:
            yield "enclosure", f"{links!r} for {files!r}"


def text_of(markup):
    return html.unescape(re.sub("<[^>]+>", "", markup or ""))


def with_feedparser(text, expected, is_atom):
    feed = feedparser.parse(text.encode(), sanitize_html=False, resolve_relative_uris=False)
    if feed.bozo:
        yield "error", "feedparser: ill-formed", str(feed.bozo_exception)
    for entry in feed.entries:
        for field, difference in differences(entry, expected[entry["id"]], is_atom):
            yield "error", f"feedparser: {field}", difference


validators = {}


def prepare(folder, clone):
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    validators["json"] = [json_schema()]
    for format in ("rss", "atom"):
        is_atom = format == "atom"
        validators[format] = [lambda text, is_atom=is_atom: with_feedparser(text, expected, is_atom)]
    validators["opml"] = []
    if clone:
        for format in ("rss", "atom", "opml"):
            validators[format].append(w3c(clone))
        validators["atom"].append(atom_schema(clone))


def read(path):
    text = path.read_text("utf-8")
    found = [event for validate in validators[path.suffix[1:]] for event in validate(text)]
    return path, found


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--validator", type=pathlib.Path)
    options = arguments.parse_args()
    prepare(options.folder, options.validator)
    paths = sorted(path for path in options.folder.iterdir() if path.suffix[1:] in validators and path.name != "expected.json")
    counts, examples = collections.Counter(), {}
    # Each process has what was prepared above.
    with multiprocessing.get_context("fork").Pool() as pool:
        for path, found in pool.imap_unordered(read, paths, chunksize=8):
            for severity, kind, example in found:
                format = path.suffix[1:]
                counts[severity, kind, format] += 1
                examples.setdefault((severity, kind, format), f"{path.name}: {example}"[:400])
    documents = collections.Counter(path.suffix[1:] for path in paths)
    print("documents:", ", ".join(f"{count} {format}" for format, count in sorted(documents.items())))
    for (severity, kind, format), count in sorted(counts.items()):
        print(f"{severity}: {kind}: {count} in {format}\n    {examples[severity, kind, format]}")
    failed = [f"{kind} ({format})" for severity, kind, format in counts if severity == "error" or (severity == "warning" and kind not in ACCEPTED)]
    print(f"{len(failed)} kinds that must not be: {', '.join(failed)}" if failed else "nothing that must not be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
