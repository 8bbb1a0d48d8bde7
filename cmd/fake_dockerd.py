#!/usr/bin/env python3
"""A Docker daemon of lies and processes that are there, for tests.

    fake_dockerd.py SOCKET

Calls itself dockerd and speaks as much of Docker's API at SOCKET as nsctl asks for. Commands come
on stdin, one a line, and each is answered with "ok" on stdout:

    start NAME PID [LABEL=VALUE]...
    pause NAME | unpause NAME | die NAME
    exit NAME STATUS    it ended, and is not removed
    flash NAME STATUS   starts and ends at once
    hang        from now on no call is answered
"""

import ctypes
import hashlib
import http.server
import json
import os
import socketserver
import sys
import threading
import time
import urllib.parse

PR_SET_NAME = 15


class Daemon:
    """What is known, and the events of what becomes known."""

    def __init__(self):
        self.changed = threading.Condition()
        self.containers = {}
        self.events = []
        self.hangs = False

    def command(self, line):
        verb, *words = line.split()
        with self.changed:
            if verb == "hang":
                self.hangs = True
                return
            name = words[0]
            if verb == "start":
                labels = dict(word.split("=", 1) for word in words[2:])
                self.containers[name] = {
                    "id": hashlib.sha256(name.encode()).hexdigest(), "name": name,
                    "pid": int(words[1]), "paused": False, "labels": labels}
            if verb == "flash":
                self.containers[name] = {
                    "id": hashlib.sha256(name.encode()).hexdigest(), "name": name,
                    "pid": 0, "paused": False, "labels": {}}
                self.tell("start", self.containers[name])
                verb = "exit"
            container = self.containers[name]
            if verb in ("pause", "unpause"):
                container["paused"] = verb == "pause"
            elif verb == "exit":
                container["exit"] = int(words[1])
                verb = "die"
            elif verb == "die":
                del self.containers[name]
            self.tell(verb, container)

    def tell(self, verb, container):
        attributes = dict(container["labels"], name=container["name"])
        if verb == "die":
            attributes["exitCode"] = str(container.get("exit", 3))
        now = time.time_ns()
        self.events.append({
            "Type": "container", "Action": verb, "status": verb, "id": container["id"],
            "Actor": {"ID": container["id"], "Attributes": attributes},
            "time": now // 10**9, "timeNano": now})
        self.changed.notify_all()


def status_of(container):
    if "exit" in container:
        return "exited"
    return "paused" if container["paused"] else "running"


def row_of(container):
    return {"Id": container["id"], "Names": ["/" + container["name"]], "Image": "busybox",
            "State": status_of(container),
            "Created": 1700000000, "Labels": container["labels"]}


def inspection_of(container):
    return {"Id": container["id"], "Name": "/" + container["name"],
            "Created": "2023-11-14T22:13:20Z", "Image": "sha256:00",
            "State": {"Status": status_of(container),
                      "Running": "exit" not in container, "Paused": container["paused"],
                      "Pid": container["pid"], "StartedAt": "2023-11-14T22:13:21Z",
                      "ExitCode": container.get("exit", 0),
                      "FinishedAt": "2023-11-14T22:14:00Z" if "exit" in container
                                    else "0001-01-01T00:00:00Z"},
            "Config": {"Image": "busybox", "Labels": container["labels"]},
            "HostConfig": {"Privileged": False}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    daemon = None

    def log_message(self, *_):
        pass

    def do_HEAD(self):  # pylint: disable=invalid-name
        self.answer(b"", 200)

    def do_GET(self):  # pylint: disable=invalid-name
        if self.daemon.hangs:
            threading.Event().wait()
        path = urllib.parse.urlsplit(self.path).path
        parts = path.strip("/").split("/")[1:]
        if parts == ["info"]:
            return self.send_json({"ID": "TEST", "ServerVersion": "20.10.24"})
        if parts == ["events"]:
            return self.send_events()
        with self.daemon.changed:
            known = list(self.daemon.containers.values())
        if parts == ["containers", "json"]:
            wants_stopped = "all=1" in self.path
            return self.send_json([row_of(one) for one in known
                                   if ("exit" in one) == wants_stopped])
        for one in known:
            if parts[:2] == ["containers", one["id"]]:
                return self.send_json(inspection_of(one))
        return self.answer(b'{"message":"no such thing"}', 404)

    def send_json(self, value):
        self.answer(json.dumps(value).encode(), 200)

    def answer(self, body, status):
        if self.daemon.hangs:
            threading.Event().wait()
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_events(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        with self.daemon.changed:
            told = len(self.daemon.events)
        while True:
            with self.daemon.changed:
                while told == len(self.daemon.events):
                    self.daemon.changed.wait()
                event = json.dumps(self.daemon.events[told]).encode() + b"\n"
                told += 1
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        """Whoever asked went away."""

    def get_request(self):
        request, _ = super().get_request()
        return request, ("nsctl", 0)


def main():
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"dockerd", 0, 0, 0)
    Handler.daemon = Daemon()
    server = Server(sys.argv[1], Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ok", flush=True)
    for line in sys.stdin:
        Handler.daemon.command(line)
        print("ok", flush=True)
    os._exit(0)


main()
