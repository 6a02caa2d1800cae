"""Verifies DKIM signatures with dkimpy; the DNS is what it is told.

Reads JSON from standard input: {"records": {name: value}, "mails": [base64 of a mail]}. Writes for each mail a list: of
each of its signatures whether it verifies, with the algorithm and the fields it covers.
"""

import base64
import json
import sys

import dkim

asked = json.load(sys.stdin)


def dns(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    value = asked["records"].get(name.rstrip("."))
    return value.encode() if value else None


def signatures(mail):
    count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.rfc822_parse(mail)[0])
    for number in range(count):
        verifier = dkim.DKIM(mail, minkey=1024)
        try:
            valid = verifier.verify(idx=number, dnsfunc=dns)
        except dkim.DKIMException:
            valid = False
        fields = verifier.signature_fields
        yield {
            "valid": valid,
            "algorithm": fields.get(b"a", b"").decode(),
            "domain": fields.get(b"d", b"").decode(),
            "fields": fields.get(b"h", b"").decode().replace("\r\n", "").replace(" ", "").split(":"),
        }


print(json.dumps([list(signatures(base64.b64decode(mail))) for mail in asked["mails"]]))
