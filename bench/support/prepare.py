"""What the rows of the comparison work on. It is made through the API, and the answers that are read are read here."""

import os
import random
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import load
from .server import Server

RUNS = 32
SEARCHED = 2_000
HISTORY = 100_000
BATCH = 1_000
FILE_BYTES = 256 << 20
VERSIONS = 10_000
START = 1_700_000_000_000


@dataclass
class Place:
    """A server with all that the rows need."""

    server: Server
    # The experiment that is written to, and a file with the ids of some of its runs.
    written: str
    runs: Path
    # The experiment that is searched, and a run with a long history.
    searched: str
    long_run: str
    # A file to send, and the path to send it to.
    file: Path
    artifact: str
    kept: dict = field(default_factory=dict)

    def once(self, name, make):
        """What `make` answers, which is asked for once."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def change_file(self):
        """Makes the file another one, so that no server has its bytes already."""
        with self.file.open("r+b") as file:
            file.write(os.urandom(64))


def prepare(server, folder):
    """Makes what the rows need."""
    written, searched = (
        server.call("POST", "experiments/create", {"name": name})["experiment_id"] for name in ("written", "searched")
    )
    create = {"experiment_id": written, "start_time": START}
    created = [server.call("POST", "runs/create", create)["run"]["info"]["run_id"] for _ in range(RUNS)]
    runs = folder / f"{server.name}-runs"
    runs.write_text("".join(f"{run}\n" for run in created))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: make_run(server, searched, number), range(SEARCHED)))
    long_run, artifact = make_history(server, written), artifact_path(server, created[0])
    return Place(server, written, runs, searched, long_run, big_file(folder), artifact)


def make_run(server, experiment, number):
    """A run with 10 metrics, 10 params and 3 tags, the same on every server."""
    chance = random.Random(number)
    tags = {"team": f"{number % 10}", "host": f"{chance.randrange(100)}", "note": f"{chance.getrandbits(64):x}"}
    metrics = [
        {"key": f"m{key}", "value": chance.random(), "timestamp": START + number, "step": 1} for key in range(10)
    ]
    params = [{"key": f"p{key}", "value": str(chance.randrange(20))} for key in range(10)]
    run = server.call("POST", "runs/create", {
        "experiment_id": experiment, "start_time": START + number, "run_name": f"run-{number}",
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    })["run"]["info"]["run_id"]
    server.call("POST", "runs/log-batch", {"run_id": run, "metrics": metrics, "params": params})


def make_history(server, experiment):
    """A run with a metric of many points."""
    created = server.call("POST", "runs/create", {"experiment_id": experiment, "start_time": START})
    run = created["run"]["info"]["run_id"]
    for start in range(0, HISTORY, BATCH):
        points = [
            {"key": "loss", "value": 1 / (step + 1), "timestamp": START + step, "step": step}
            for step in range(start, start + BATCH)
        ]
        server.call("POST", "runs/log-batch", {"run_id": run, "metrics": points})
    return run


def big_file(folder):
    """A file of random bytes, which every server is sent."""
    file = folder / "file"
    if not file.exists():
        with file.open("wb") as out:
            for _ in range(FILE_BYTES >> 20):
                out.write(os.urandom(1 << 20))
    return file


def artifact_path(server, run):
    """Where a file of a run is sent to."""
    uri = server.call("GET", f"runs/get?run_id={run}")["run"]["info"]["artifact_uri"]
    inside = re.sub(r"^[a-z-]+:/*", "", uri)
    return f"{server.prefix}/api/2.0/mlflow-artifacts/artifacts/{inside}/file"


def pages(server, page, count):
    """The calls for the pages of an answer, `count` of them at most: `page` makes the call of a page token."""
    calls, token = [], None
    while len(calls) < count and (token or not calls):
        calls.append(page(token))
        token = server.call(calls[-1].method, calls[-1].path, calls[-1].body).get("next_page_token")
    return calls


def make_model(place):
    """Makes the model that versions are made of."""
    place.once("model", lambda: place.server.call("POST", "registered-models/create", {"name": "versions"}))


def make_versions(server, seconds):
    """Gives the model so many versions that finding one among them is work."""
    made = 0
    while made < VERSIONS:
        load.write(server, "create_version", seconds)
        newest = server.call("GET", "registered-models/get?name=versions")["registered_model"]["latest_versions"]
        made = int(newest[0]["version"])
