#!/usr/bin/env python3
"""Measures tracking calls against Modelry and FastTrackML in turns on this machine, and prints medians and ratios.

    python3 bench/tracking.py [--rounds 9] [--seconds 2] [--modelry target/release/modelry] [--fml PATH]

Needs wrk (Debian) and, for the ratios, `pip install fasttrackml==0.6.0`, whose `fml` is named with --fml.
A round of a row measures one server for --seconds and then the other, and gives a ratio: what else the machine does
at that moment slows both. Only loopback addresses are used.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
TOKEN = "bench-token-0123456789abcdef"
CONNECTIONS = 16
RUNS = 32


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server under test: how it starts, and where its tracking calls are."""

    def __init__(self, name, command, prefix, token, port, env=None):
        self.name, self.prefix, self.token, self.port = name, prefix, token, port
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(env or {})}
        )

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{self.prefix}/api/2.0/mlflow/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def wait(self):
        for _ in range(900):
            try:
                return self.call("GET", "experiments/get?experiment_id=0")
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"{self.name} did not start")

    def resident_mb(self):
        """Resident memory of the server and its children."""
        total = 0
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [str(self.process.pid), *children]:
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
        return total / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def modelry(binary, folder):
    port = free_port()
    command = [binary, "serve", "--address", f"127.0.0.1:{port}", "--data", str(folder / "modelry")]
    return Server("Modelry", command, "/api/v4/projects/1/ml/mlflow", TOKEN, port, {"MODELRY_ROOT_TOKEN": TOKEN})


def fasttrackml(binary, folder):
    port = free_port()
    command = [
        binary, "server", "--listen-address", f"127.0.0.1:{port}",
        "--database-uri", f"sqlite://{folder / 'fml.db'}", "--default-artifact-root", str(folder / "artifacts"),
    ]
    return Server("FastTrackML", command, "", "", port)


def wrk(server, experiment, runs, call, connections, seconds):
    env = {
        **os.environ, "CALL": call, "PREFIX": server.prefix, "TOKEN": server.token,
        "EXPERIMENT": experiment, "RUNS": str(runs),
    }
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(HERE / "wrk/post.lua"),
               f"http://127.0.0.1:{server.port}/"]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    if "Non-2xx" in out.stdout or out.stderr.strip():
        raise SystemExit(f"{server.name}, {call}: errors\n{out.stdout}{out.stderr}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out.stdout).group(1))
    value, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out.stdout).groups()
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def rate(call):
    """A row of `call`s per second over many connections."""
    return lambda target, seconds: wrk(*target, call, CONNECTIONS, seconds)[0]


ROWS = {
    "create run/s": rate("create_run"),
    "log-metric/s": rate("log_metric"),
    "log-batch points/s": lambda target, seconds: 100 * rate("log_batch")(target, seconds),
    "get run p50 ms": lambda target, seconds: wrk(*target, "get_run", 1, seconds)[1],
}


def prepare(server, folder):
    """Makes what the rows work on: the server, an experiment in it, and a file with the ids of runs."""
    experiment = server.call("POST", "experiments/create", {"name": f"bench-{time.time_ns()}"})["experiment_id"]
    runs = folder / f"{server.name}-runs"
    created = [server.call("POST", "runs/create", {"experiment_id": experiment, "start_time": 1}) for _ in range(RUNS)]
    runs.write_text("".join(run["run"]["info"]["run_id"] + "\n" for run in created))
    target = (server, experiment, runs)
    wrk(*target, "log_metric", CONNECTIONS, 1)
    return target


def print_row(row, measured, ratios):
    """One line of the table: the median of each server, the median ratio and its range."""
    cells = [f"{statistics.median(figures):,.2f}" for figures in measured]
    if ratios:
        cells += [f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}"]
    print(f"| {row} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--modelry", default="target/release/modelry")
    parser.add_argument("--fml", default=shutil.which("fml"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        folder = Path(folder)
        servers = [fasttrackml(options.fml, folder)] if options.fml else []
        servers.append(modelry(options.modelry, folder))
        for server in servers:
            running.callback(server.stop)
            server.wait()
        idle = [[server.resident_mb()] for server in servers]
        targets = [prepare(server, folder) for server in servers]
        heads = ["work", *(server.name for server in servers), *(["ratio", "ratios"] if options.fml else [])]
        print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
        print_row("idle MB", idle, [])
        for row, measure in ROWS.items():
            turns = [[measure(target, options.seconds) for target in targets] for _ in range(options.rounds)]
            ratios = [turn[1] / turn[0] for turn in turns] if options.fml else []
            print_row(row, list(zip(*turns)), ratios)
        print_row("MB afterwards", [[server.resident_mb()] for server in servers], [])


if __name__ == "__main__":
    main()
