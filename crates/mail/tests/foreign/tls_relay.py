"""A relay for one connection that speaks TLS with Python's ssl: `tls_relay.py implicit|starttls certificate key`.

Prints its port, then on one line the user and password of AUTH PLAIN and the envelope recipients, when the client quits.
"""

import base64
import socket
import ssl
import sys

mode, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
if mode == "implicit":
    connection = context.wrap_socket(connection, server_side=True)
encrypted = mode == "implicit"
seen = []


def say(text):
    connection.sendall(text.encode() + b"\r\n")


say("220 relay")
lines = connection.makefile("rb")
while line := lines.readline():
    words = line.decode().split()
    verb = words[0].upper()
    if verb == "EHLO":
        say("250-relay\r\n250-PIPELINING\r\n250 AUTH PLAIN" if encrypted else "250-relay\r\n250 STARTTLS")
    elif verb == "STARTTLS":
        say("220 go")
        connection = context.wrap_socket(connection, server_side=True)
        lines = connection.makefile("rb")
        encrypted = True
    elif verb == "AUTH":
        seen += base64.b64decode(words[2]).decode().split("\0")[1:]
        say("235 2.7.0 welcome")
    elif verb == "RCPT":
        seen.append(words[1])
        say("250 ok")
    elif verb == "DATA":
        say("354 go")
        while lines.readline() != b".\r\n":
            pass
        say("250 2.0.0 ok")
    elif verb == "QUIT":
        say("221 bye")
        break
    else:
        say("250 ok")
print(" ".join(seen), flush=True)
