"""A subscriber of somebody else's: Flask-WebSub, unchanged, told on its standard input what to do.

    websub_subscriber.py FOLDER      keeps its database in FOLDER

    subscribe URL      finds the hub of URL and subscribes
    renew              the same once more, from what it remembers
    unsubscribe

On its standard output it says in lines of JSON what happened: {"ready"}, {"hub", "topic"}, {"confirmed": mode},
{"denied": reason}, {"news": body} for a delivery whose signature is right, {"failed": why}.
"""

import json
import logging
import pathlib
import sys
import threading

from flask import Flask
from flask_websub.errors import FlaskWebSubError
from flask_websub.subscriber import (
    SQLite3SubscriberStorage,
    SQLite3TempSubscriberStorage,
    Subscriber,
    discover,
)
from werkzeug.serving import make_server


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    database = str(pathlib.Path(sys.argv[1]) / "subscriber.sqlite3")
    app = Flask(__name__)
    subscriber = Subscriber(SQLite3SubscriberStorage(database), SQLite3TempSubscriberStorage(database))
    subscriber.add_success_handler(lambda topic, callback, mode: say(confirmed=mode))
    subscriber.add_error_handler(lambda topic, callback, reason: say(denied=reason))
    subscriber.add_listener(lambda topic, callback, body: say(news=body.decode()))
    app.register_blueprint(subscriber.build_blueprint(url_prefix="/callbacks"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    app.config["SERVER_NAME"] = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(ready=server.server_port)

    callback = None
    for line in sys.stdin:
        command, *url = line.split()
        try:
            with app.app_context():
                if command == "subscribe":
                    found = discover(*url)
                    say(hub=found["hub_url"], topic=found["topic_url"])
                    callback = subscriber.subscribe(**found)
                elif command == "renew":
                    subscriber.renew(callback)
                elif command == "unsubscribe":
                    subscriber.unsubscribe(callback)
        except FlaskWebSubError as error:
            say(failed=str(error))


main()
