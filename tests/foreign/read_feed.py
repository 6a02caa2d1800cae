"""Reads a feed from standard input with feedparser and prints its fields as JSON."""

import calendar
import json
import sys

import feedparser


def unix(parsed):
    return calendar.timegm(parsed) if parsed else None


def sources(entry):
    """Names given by <source> or dc:source; feedparser keeps only one of several."""
    source = entry.get("source")
    names = [source.get("title") or source.get("value")] if isinstance(source, dict) else [source]
    names.append(entry.get("dc_source"))
    names.extend(link.get("title") for link in entry.get("links", []) if link.get("rel") == "via")
    return [name for name in names if name]


def fields(entry):
    content = entry.get("content") or [{}]
    return {
        "id": entry.get("id"),
        "title": entry.get("title"),
        "link": entry.get("link"),
        "summary": entry.get("summary"),
        "content": content[0].get("value"),
        "author": entry.get("author"),
        "published": entry.get("published"),
        "published_unix": unix(entry.get("published_parsed")),
        "updated": entry.get("updated"),
        "updated_unix": unix(entry.get("updated_parsed")),
        "tags": [tag.get("term") for tag in entry.get("tags", [])],
        "sources": sources(entry),
    }


feed = feedparser.parse(sys.stdin.buffer.read(), sanitize_html=False)
document = {
    "bozo": bool(feed.bozo),
    "problem": str(feed.get("bozo_exception", "")),
    "version": feed.version,
    "title": feed.feed.get("title"),
    "language": feed.feed.get("language"),
    "id": feed.feed.get("id"),
    "links": [[link.get("rel"), link.get("href")] for link in feed.feed.get("links", [])],
    "entries": [fields(entry) for entry in feed.entries],
}
json.dump(document, sys.stdout, ensure_ascii=False)
