"""What makes the load: wrk for calls per second, curl for what has to come in order. Neither reads an answer."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "wrk/load.lua"
CONNECTIONS = 16
WRITE_OUT = r'write-out = "%{http_code} %{time_total}\n"'
BEGINNING = time.monotonic_ns()


@dataclass(frozen=True)
class Call:
    """A call that is measured: its method, its path below that of the tracking calls, and its body."""

    method: str
    path: str
    body: dict | None = None

    def text(self, server):
        """The request on the wire."""
        body = b"" if self.body is None else json.dumps(self.body).encode()
        head = [f"{self.method} {server.api}{self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in server.headers.items())]
        if self.body is not None:
            head.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*head, "", ""]).encode() + body

    def config(self, server):
        """The request in a file of curl's options."""
        body = [] if self.body is None else [f"data-binary = {quote(json.dumps(self.body))}"]
        headers = [f"header = {quote(f'{name}: {value}')}" for name, value in server.headers.items()]
        address = [f"url = {quote(server.url(self.path))}", f"request = {self.method}"]
        return "\n".join([*address, *headers, *body, 'output = "/dev/null"', WRITE_OUT])


def quote(text):
    """Text as a value in a file of curl's options."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@dataclass(frozen=True)
class Measured:
    """What wrk measured. Times are in milliseconds; wrk corrects the percentiles for requests that had to wait to be sent."""

    rate: float
    p50: float
    p95: float


def require_programs():
    """Ends with a hint when a program is missing."""
    missing = [name for name in ("wrk", "curl", "chrt", "taskset") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)}; on Debian: apt-get install wrk curl util-linux")


def wrk(server, connections, seconds, environment):
    """Runs wrk and answers what it measured, or for longer when nothing was done.

    What a peer refuses is not counted: under many connections MLflow answers some that its database is locked. Ends the
    program when Modelry refuses a request, and when a server has done nothing in a minute.
    """
    command = [
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "120s",
        "--script", str(SCRIPT), f"http://127.0.0.1:{server.port}/",
    ]
    run = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    report = json.loads(run.stdout.splitlines()[-1])
    failed = report["refused"] + report["broken"]
    done = report["requests"] - failed
    if (failed and not server.may_refuse) or (not done and seconds >= 60):
        raise SystemExit(f"{server.name}, {environment['CALL']}: {report}\n{run.stderr}")
    if failed:
        print(f"{server.name}, {environment['CALL']}: {failed} of {report['requests']} refused", file=sys.stderr)
    if not done:
        return wrk(server, connections, 4 * seconds, environment)
    rate = done / (report["duration"] / 1e6)
    return Measured(rate, report["p50"] / 1000, report["p95"] / 1000)


def write(server, call, seconds, experiment="", runs="/dev/null", connections=CONNECTIONS):
    """Sends new data over and over: `call` is one of the writes of load.lua."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    first = (time.monotonic_ns() - BEGINNING) // 1000
    environment = {
        "CALL": call, "PREFIX": server.api, "HEADERS": headers, "EXPERIMENT": experiment, "RUNS": str(runs),
        "FIRST": str(first),
    }
    return wrk(server, connections, seconds, environment)


def replay(server, calls, seconds, connections=1):
    """Sends these calls in turn, over and over."""
    with tempfile.NamedTemporaryFile() as file:
        for call in calls:
            text = call.text(server)
            file.write(b"%d\n%s\n" % (len(text), text))
        file.flush()
        return wrk(server, connections, seconds, {"CALL": "replay", "REQUESTS": file.name})


def in_order(server, calls):
    """Sends these calls once, one after the other over one connection, and answers the time of each in milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as file:
        file.write("\nnext\n".join(call.config(server) for call in calls))
        file.flush()
        run = subprocess.run(
            ["curl", "--disable", "--silent", "--config", file.name], capture_output=True, text=True, check=True
        )
    answers = [line.split() for line in run.stdout.splitlines()]
    refused = {status for status, _ in answers if status != "200"}
    if refused or len(answers) != len(calls):
        raise SystemExit(f"{server.name}: {len(answers)} answers to {len(calls)} calls, refused: {refused}")
    return [float(seconds) * 1000 for _, seconds in answers]


def turns(server, calls, seconds):
    """How long all of these calls take together, in milliseconds: the median of as many turns as fit."""
    first = sum(in_order(server, calls))
    count = max(1, min(50, int(seconds * 1000 / first)))
    times = in_order(server, list(calls) * count)
    return statistics.median(
        sum(times[turn * len(calls):][:len(calls)]) for turn in range(count)
    )


def transfer(server, path, file, upload):
    """Sends a file to a path of the server or, if not `upload`, gets it, and answers the speed in MB/s."""
    headers = [part for name, value in server.headers.items() if name == "Authorization"
               for part in ("--header", f"{name}: {value}")]
    direction = ["--upload-file", str(file)] if upload else []
    run = subprocess.run(
        ["curl", "--disable", "--silent", *headers, *direction, "--output", "/dev/null",
         "--write-out", "%{http_code} %{time_total}", f"http://127.0.0.1:{server.port}{path}"],
        capture_output=True, text=True, check=True,
    )
    status, seconds = run.stdout.split()
    if status not in ("200", "201"):
        raise SystemExit(f"{server.name} answered {status} to {path}")
    return Path(file).stat().st_size / 2**20 / float(seconds)
