"""Reads mails, a NUL after each, from standard input with Python's email package; prints what it found as JSON."""

import email
import email.header
import email.policy
import json
import sys


def by_words(raw):
    """The subject, each of its words decoded as if it stood alone."""
    words = email.message_from_bytes(raw, policy=email.policy.compat32)["Subject"].split()
    encoded = [word.startswith("=?") for word in words]
    if not any(encoded):
        return " ".join(words)
    assert all(encoded), words
    decoded = [email.header.decode_header(word) for word in words]
    return "".join(text.decode(charset) for [(text, charset)] in decoded)


def read(raw):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    defects = [f"{part.get_content_type()}: {defect!r}" for part in mail.walk() for defect in part.defects]
    defects += [f"{name}: {defect!r}" for name, value in mail.items() for defect in value.defects]
    sender = mail["From"].addresses[0]
    return {
        "subject": str(mail["Subject"]),
        "subject_by_words": by_words(raw),
        "in_reply_to": mail["In-Reply-To"],
        "from": [sender.display_name, sender.addr_spec],
        "types": [part.get_content_type() for part in mail.walk()],
        "text": mail.get_body(("plain",)).get_content(),
        "html": mail.get_body(("html",)).get_content(),
        "defects": defects,
    }


mails = sys.stdin.buffer.read().split(b"\0")[:-1]
json.dump([read(raw) for raw in mails], sys.stdout)
