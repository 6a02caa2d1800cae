"""Hands mails in by LMTP, as Python's smtplib does it.

The argument is HOST:PORT. Standard input: [[recipient, mail in base64], …], each sent as a report, from the null sender.
Prints the code of each, in their order: 250, or that of the refusal.
"""

import base64
import json
import smtplib
import sys


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    codes = []
    with smtplib.LMTP(host, int(port), local_hostname="mx.news.example") as lmtp:
        for recipient, mail in json.load(sys.stdin):
            try:
                lmtp.sendmail("", [recipient], base64.b64decode(mail))
                codes.append(250)
            except smtplib.SMTPRecipientsRefused as refused:
                codes.append(refused.recipients[recipient][0])
            except smtplib.SMTPResponseException as refused:
                codes.append(refused.smtp_code)
    json.dump(codes, sys.stdout)


if __name__ == "__main__":
    main()
