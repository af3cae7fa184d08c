"""Requests exactly as they are written: nothing normalises a path, retries, or adds a header."""

import contextlib
import http.client
import json
import urllib.parse
from dataclasses import dataclass


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The status and MLflow's error code, the pair that a client acts on."""
        return self.status, self.json.get("error_code")


class Wire:
    """A caller with or without a token, at one tracking URI (or at the root of a server)."""

    def __init__(self, base, token=None):
        parts = urllib.parse.urlsplit(base)
        self.host, self.port, self.prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self.token = token

    def send(self, method, target, body=None, headers=None):
        """One request; `target` is appended to the prefix as it is, byte for byte."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= headers or {}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            # A server that refuses a body may stop reading it; what it said is there to be read all the same.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, self.prefix + target, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, call, **query):
        """A GET of the tracking API: repeated keys for lists."""
        encoded = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None}, True)
        return self.send("GET", api(call) + (f"?{encoded}" if encoded else ""))

    def post(self, call, body=None, *, method="POST"):
        """A POST (or PATCH, DELETE) of the tracking API with a JSON body."""
        return self.send(method, api(call), json.dumps(body or {}), {"Content-Type": "application/json"})

    def patch(self, call, body=None):
        return self.post(call, body, method="PATCH")

    def delete(self, call, body=None):
        return self.post(call, body, method="DELETE")

    def ok(self, answer):
        """The JSON of an answer that must be a success."""
        assert answer.status == 200, f"{answer.status}: {answer.text}"
        return answer.json


def api(call):
    """`runs/get` is short for the full path below the tracking URI."""
    return call if call.startswith("/") else f"/api/2.0/mlflow/{call}"


def artifact(path):
    """The proxy route of an artifact; `path` is not encoded."""
    return f"/api/2.0/mlflow-artifacts/artifacts/{path}"


def with_run(server):
    """A fresh server with one run: raw requests, what is known of the run, and where its files go."""
    wire = Wire(server.tracking_uri, server.token)
    info = wire.ok(wire.post("runs/create", {"experiment_id": "0"}))["run"]["info"]
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    return wire, info["run_id"], lambda name: artifact(f"{root}/{name}")


def listing(wire, run):
    """The files of a run: path to size in bytes."""
    return {one["path"]: one["file_size"] for one in wire.ok(wire.get("artifacts/list", run_id=run)).get("files", [])}
