"""A storm of writes, and the power goes: what was acknowledged is there, and nothing is half there."""

import http.client
import json
import os
import random
import threading
import time

from support.wire import Wire, artifact

WRITERS = 8
ROUNDS = int(os.environ.get("E2E_CRASHES", "5"))
SEED = int(os.environ.get("E2E_CRASH_SEED", "20240229"))


class Writer(threading.Thread):
    """One client that creates runs, logs to them and uploads, and keeps what was acknowledged."""

    def __init__(self, server, experiment, number):
        super().__init__()
        self.wire = Wire(server.tracking_uri, server.token)
        self.experiment = experiment
        self.number = number
        self.runs = {}

    def run(self):
        for serial in range(10_000):
            try:
                self.one_run(serial)
            except (OSError, http.client.HTTPException):
                return

    def one_run(self, serial):
        name = f"writer {self.number} run {serial}"
        info = self.acknowledged("runs/create", {"experiment_id": self.experiment, "run_name": name})["run"]["info"]
        kept = self.runs[info["run_id"]] = {"name": name, "points": 0, "param": False, "file": None, "batch": False}
        for step in range(5):
            metric = {"run_id": info["run_id"], "key": "loss", "value": step, "timestamp": 1000 + step, "step": step}
            self.acknowledged("runs/log-metric", metric)
            kept["points"] = step + 1
        self.acknowledged("runs/log-parameter", {"run_id": info["run_id"], "key": "depth", "value": str(serial)})
        kept["param"] = True
        content = f"{name} ".encode() * 2000
        root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        answer = self.wire.send("PUT", artifact(f"{root}/note.txt"), content)
        assert answer.status == 200, answer.text
        kept["file"] = content
        batch = [{"key": f"b{n}", "value": n, "timestamp": 1, "step": n} for n in range(50)]
        tags = [{"key": "batch", "value": "whole"}]
        self.acknowledged("runs/log-batch", {"run_id": info["run_id"], "metrics": batch, "tags": tags})
        kept["batch"] = True

    def acknowledged(self, call, body):
        answer = self.wire.post(call, body)
        # While the server is going down an honest refusal is as good as a broken connection.
        if answer.status == 503:
            raise ConnectionAbortedError
        return self.wire.ok(answer)


def storm(server, experiment, seconds):
    """Eight writers until the server is killed; returns what was acknowledged: run id to what is known of it."""
    writers = [Writer(server, experiment, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(seconds)
    server.kill()
    for writer in writers:
        writer.join(timeout=60)
        assert not writer.is_alive()
    return {run: kept for writer in writers for run, kept in writer.runs.items()}


def check_run(wire, run, kept):
    """Everything that was acknowledged of one run is there, and what was not is there whole or not at all."""
    answered = wire.ok(wire.get("runs/get", run_id=run))["run"]
    assert answered["info"]["run_name"] == kept["name"]
    history = wire.ok(wire.get("metrics/get-history", run_id=run, metric_key="loss")).get("metrics", [])
    assert [point["step"] for point in history] == list(range(len(history)))
    assert kept["points"] <= len(history) <= kept["points"] + 1
    assert not kept["param"] or answered["data"]["params"]
    check_batch(answered["data"], kept["batch"])
    check_file(wire, answered["info"], kept["file"])


def check_batch(data, acknowledged):
    metrics = [metric for metric in data.get("metrics", []) if metric["key"].startswith("b")]
    tagged = any(tag["key"] == "batch" for tag in data["tags"])
    assert (len(metrics), tagged) in {(50, True), (0, False)}
    assert tagged or not acknowledged


def check_file(wire, info, content):
    listed = wire.ok(wire.get("artifacts/list", run_id=info["run_id"])).get("files", [])
    expected = f"{info['run_name']} ".encode() * 2000
    if content is not None or listed:
        root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        answer = wire.send("GET", artifact(f"{root}/note.txt"))
        assert (answer.status, answer.body) == (200, expected)
        assert [(one["path"], one["file_size"]) for one in listed] == [("note.txt", len(expected))]


def all_runs(wire, experiment):
    """The ids of all runs of the experiment, page by page."""
    found, token = [], None
    while True:
        body = {"experiment_ids": [experiment], "max_results": 500} | ({"page_token": token} if token else {})
        page = wire.ok(wire.post("runs/search", body))
        found += [run["info"]["run_id"] for run in page.get("runs", [])]
        token = page.get("next_page_token")
        if not token:
            return found


def test_every_acknowledged_write_survives_sigkill_in_a_storm(fresh):
    server = fresh().start()
    wire = Wire(server.tracking_uri, server.token)
    chance = random.Random(SEED)
    acknowledged = {}
    for number in range(ROUNDS):
        experiment = wire.ok(wire.post("experiments/create", {"name": f"storm {number}"}))["experiment_id"]
        acknowledged |= (this_round := storm(server, experiment, chance.uniform(0.1, 1.5)))
        assert "ok" in server.command("check").stdout
        server.start()
        found = all_runs(wire, experiment)
        # A run that was made while the answer was lost may be there; one that was answered must be.
        assert set(this_round) <= set(found)
        assert len(found) <= len(this_round) + WRITERS
        for run, kept in this_round.items():
            check_run(wire, run, kept)
    assert len(acknowledged) > ROUNDS, "the storms wrote next to nothing, so they showed nothing"
    print(json.dumps({"crashes": ROUNDS, "runs acknowledged and found": len(acknowledged)}))
