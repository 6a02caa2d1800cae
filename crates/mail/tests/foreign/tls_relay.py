"""A relay for one connection that speaks TLS with Python's ssl: `tls_relay.py implicit|starttls certificate key PLAIN|LOGIN`.

Prints its port, then on one line the user and password of AUTH and the envelope recipients, when the client quits. It
takes the password "s3cret" only.
"""

import base64
import socket
import ssl
import sys

mode, certificate, key, mechanism = sys.argv[1:]
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
        say("250-relay\r\n250-PIPELINING\r\n250 AUTH " + mechanism if encrypted else "250-relay\r\n250 STARTTLS")
    elif verb == "STARTTLS":
        say("220 go")
        connection = context.wrap_socket(connection, server_side=True)
        lines = connection.makefile("rb")
        encrypted = True
    elif verb == "AUTH":
        said = []
        if words[1] != mechanism:
            pass
        elif mechanism == "PLAIN":
            said = base64.b64decode(words[2]).decode().split("\0")[1:]
        else:
            for prompt in (b"Username:", b"Password:"):
                say("334 " + base64.b64encode(prompt).decode())
                said.append(base64.b64decode(lines.readline()).decode())
        seen += said
        say("235 2.7.0 welcome" if said[1:] == ["s3cret"] else "535 5.7.8 who is that?")
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
