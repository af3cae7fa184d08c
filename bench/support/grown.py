"""A grown experiment on a running server: what is asked of it, and how long that takes."""

import math
import statistics
from dataclasses import dataclass
from pathlib import Path

from . import load
from .load import Call, Measured

TARGETS = 100
START = 1_700_000_000_000
PAGE = 100
# Pages are walked in steps of so many candidates, to get to one that is far behind.
STRIDE = 2_000
# What two candidates that hold the same must differ in.
OWN = ("run_id", "run_uuid", "experiment_id", "artifact_uri")


@dataclass(frozen=True)
class Latency:
    """How long a search takes, in milliseconds."""

    p50: float
    p95: float


def latency(server, call, seconds):
    """The latency of a call that is made over and over, for at least five times."""
    first = sum(load.in_order(server, [call]))
    count = max(5, min(300, int(seconds * 1000 / first)))
    times = sorted(load.in_order(server, [call] * count))
    return Latency(statistics.median(times), times[math.ceil(0.95 * count) - 1])


def search(server, body):
    """The answer to a search."""
    return server.call("POST", "runs/search", body)


def page_token(server, shape, experiment, number):
    """The token of a page of so high a number; it does not depend on how the pages before it were cut."""
    left, token = (number - 1) * PAGE, None
    while left:
        limit = min(left, STRIDE)
        token = search(server, shape.body(experiment, token, limit))["next_page_token"]
        left -= limit
    return token


def measure_shape(server, shape, experiment, seconds, number=1):
    """The latency of a page of a search."""
    token = page_token(server, shape, experiment, number)
    return latency(server, Call("POST", "runs/search", shape.body(experiment, token, PAGE)), seconds)


def choose_targets(server, experiment, file):
    """Writes the ids of some candidates into a file: of those that are there, spread over all, or of new ones."""
    found = search(server, {"experiment_ids": [experiment], "order_by": ["metrics.m5 DESC"], "max_results": TARGETS})
    runs = [run["info"]["run_id"] for run in found.get("runs", [])]
    while len(runs) < TARGETS:
        create = {"experiment_id": experiment, "start_time": START}
        runs.append(server.call("POST", "runs/create", create)["run"]["info"]["run_id"])
    Path(file).write_text("".join(f"{run}\n" for run in runs))


def measure_write(server, call, experiment, targets, seconds, rounds=3):
    """What a write costs over many connections: the median round, after one to warm up."""
    load.write(server, call, 1, experiment, targets)
    measured = [load.write(server, call, seconds, experiment, targets) for _ in range(rounds)]
    return Measured(
        *(statistics.median(getattr(one, name) for one in measured) for name in ("rate", "p50", "p95"))
    )


def check_filled(server, experiment):
    """Logs over HTTP what a candidate that was filled in holds, and ends the program unless both read the same."""
    filled = search(server, {"experiment_ids": [experiment], "max_results": 1})["runs"][0]
    info, data = filled["info"], filled["data"]
    other = server.call("POST", "experiments/create", {"name": "logged over HTTP"})["experiment_id"]
    logged = server.call("POST", "runs/create", {
        "experiment_id": other, "start_time": info["start_time"], "run_name": info["run_name"], "user_id": info["user_id"],
    })["run"]["info"]["run_id"]
    server.call("POST", "runs/log-batch", {
        "run_id": logged, "params": data["params"],
        "metrics": [{name: metric[name] for name in ("key", "value", "timestamp", "step")} for metric in data["metrics"]],
        "tags": [tag for tag in data["tags"] if tag["key"] != "mlflow.runName"],
    })
    server.call("POST", "runs/update", {"run_id": logged, "status": info["status"], "end_time": info["end_time"]})
    readings = [reading(server, run) for run in (info["run_id"], logged)]
    if readings[0] != readings[1]:
        raise SystemExit(f"filled in and logged over HTTP differ:\n{readings[0]}\n{readings[1]}")


def reading(server, run):
    """All that the API says of a candidate, but for what is its own."""
    read = server.call("GET", f"runs/get?run_id={run}")["run"]
    info = {name: value for name, value in read["info"].items() if name not in OWN}
    histories = {
        metric["key"]: server.call("GET", f"metrics/get-history?run_id={run}&metric_key={metric['key']}")["metrics"]
        for metric in read["data"]["metrics"]
    }
    return info, read["data"], histories
