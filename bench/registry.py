#!/usr/bin/env python3
"""Measures calls on the model registry against Modelry and MLflow's own server, in turns, and prints medians and ratios.

    python3 bench/registry.py [--rounds 3] [--seconds 3] [--modelry target/release/modelry] [--mlflow PATH]

Needs wrk (Debian) and, for the ratios, mlflow 3.x: --mlflow names its command. The rows at the end are Modelry's alone:
they need many versions of one model, which are made first.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import tracking
from tracking import CONNECTIONS, Server, free_port

VERSIONS = 10_000


def mlflow(command, folder):
    port = free_port()
    arguments = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
                 "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "files")]
    return Server("MLflow", [command, *arguments], "", "", port)


def wrk(server, call, connections, seconds):
    os.environ["SERIES"] = str(time.time_ns())
    return tracking.wrk(server, "0", Path("/dev/null"), call, connections, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--modelry", default="target/release/modelry")
    parser.add_argument("--mlflow", default=shutil.which("mlflow"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        folder = Path(folder)
        servers = [mlflow(options.mlflow, folder)] if options.mlflow else []
        servers.append(tracking.modelry(options.modelry, folder))
        for server in servers:
            running.callback(server.stop)
            server.wait()
            server.call("POST", "registered-models/create", {"name": "versions"})
        heads = ["work", *(server.name for server in servers), *(["ratio", "ratios"] if options.mlflow else [])]
        print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
        for row, call in [("create model/s", "create_model"), ("create version/s", "create_version")]:
            turns = [
                [wrk(server, call, CONNECTIONS, options.seconds)[0] for server in servers]
                for _ in range(options.rounds)
            ]
            ratios = [turn[1] / turn[0] for turn in turns] if options.mlflow else []
            tracking.print_row(row, list(zip(*turns)), ratios)
        modelry = servers[-1]
        made = 0
        while made < VERSIONS:
            wrk(modelry, "create_version", CONNECTIONS, options.seconds)
            found = modelry.call("GET", "registered-models/get?name=versions")["registered_model"]
            made = int(found["latest_versions"][0]["version"])
        for row, call in [("resolve ^1, p50 ms", "resolve"), ("search 100 versions, p50 ms", "search_versions")]:
            p50 = statistics.median(wrk(modelry, call, 1, options.seconds)[1] for _ in range(options.rounds))
            print(f"{row} of {made:,} versions: {p50:.2f}")
        print(f"resident afterwards: {modelry.resident_mb():.0f} MB")


if __name__ == "__main__":
    main()
