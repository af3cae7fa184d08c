#!/usr/bin/env python3
"""Measures tracking calls against Modelry and FastTrackML, one after the other on this machine, and prints ratios.

    python3 bench/tracking.py [--seconds 6] [--modelry target/release/modelry] [--fml PATH]

Needs wrk (Debian) and, for the ratios, `pip install fasttrackml==0.6.0`, whose `fml` is named with --fml.
Only loopback addresses are used; every run is bounded by --seconds.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
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
        for _ in range(200):
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


def wrk(server, call, experiment, runs, connections, seconds):
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


def measure(server, seconds, folder):
    server.wait()
    figures = {"idle MB": server.resident_mb()}
    experiment = server.call("POST", "experiments/create", {"name": f"bench-{time.time_ns()}"})["experiment_id"]
    runs = folder / f"{server.name}-runs"
    created = [server.call("POST", "runs/create", {"experiment_id": experiment, "start_time": 1}) for _ in range(RUNS)]
    runs.write_text("".join(run["run"]["info"]["run_id"] + "\n" for run in created))
    wrk(server, "log_metric", experiment, runs, CONNECTIONS, 1)
    figures["create run/s"] = wrk(server, "create_run", experiment, runs, CONNECTIONS, seconds)[0]
    figures["log-metric/s"] = wrk(server, "log_metric", experiment, runs, CONNECTIONS, seconds)[0]
    figures["log-batch points/s"] = 100 * wrk(server, "log_batch", experiment, runs, CONNECTIONS, seconds)[0]
    figures["get run p50 ms"] = wrk(server, "get_run", experiment, runs, 1, seconds)[1]
    figures["MB afterwards"] = server.resident_mb()
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--modelry", default="target/release/modelry")
    parser.add_argument("--fml", default=shutil.which("fml"))
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        starts = [lambda: modelry(options.modelry, folder)]
        if options.fml:
            starts.insert(0, lambda: fasttrackml(options.fml, folder))
        for start in starts:
            server = start()
            try:
                results[server.name] = measure(server, options.seconds, folder)
            finally:
                server.stop()
    names = list(results)
    print("| work | " + " | ".join(names) + " | ratio |\n|---" * 1 + "|---" * (len(names) + 1) + "|")
    for row in results["Modelry"]:
        values = [results[name][row] for name in names]
        ratio = f"{values[-1] / values[0]:.2f}" if len(values) > 1 else ""
        print(f"| {row} | " + " | ".join(f"{value:,.2f}" for value in values) + f" | {ratio} |")


if __name__ == "__main__":
    main()
