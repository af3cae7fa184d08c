"""The disk is full: what does not fit is refused in clear words, the rest goes on, and nothing is half there."""

import json
import os
import threading
import time

import pytest
from support.client import Client, tree
from support.disk import MEBIBYTE, fill
from support.wire import Wire, artifact, listing, with_run

pytestmark = pytest.mark.modelry_only("what MLflow's server does on a full disk is its own affair")

NO_SPACE = "no space left in the artifact store of this server"
DATABASE_FULL = "the disk of the database is full"


def test_an_upload_to_a_full_disk_is_refused_and_the_server_lives(small_disk):
    wire, run, target = with_run(small_disk)
    assert wire.send("PUT", target("fits.bin"), b"a" * 8 * MEBIBYTE).status == 200
    refused = wire.send("PUT", target("too_large.bin"), b"b" * 60 * MEBIBYTE)
    assert refused.error == (503, "TEMPORARILY_UNAVAILABLE")
    assert refused.json["message"] == NO_SPACE
    assert listing(wire, run) == {"fits.bin": 8 * MEBIBYTE}
    # The space of what was refused may be held a moment longer, while it is still being synced.
    deadline = time.monotonic() + 30
    while wire.send("PUT", target("small.bin"), b"c" * MEBIBYTE).status != 200:
        assert time.monotonic() < deadline, "the space of the refused file was never freed"
    assert wire.send("GET", target("fits.bin")).body == b"a" * 8 * MEBIBYTE


def test_every_write_acknowledged_on_a_full_disk_is_there(small_disk):
    wire, run, _ = with_run(small_disk)
    fill(small_disk.data / "ballast")
    acknowledged = []

    def log(number):
        for step in range(100):
            metric = {"key": f"writer {number}", "value": step, "timestamp": 1, "step": step}
            padding = {"key": f"pad {number} {step}", "value": "x" * 5000}
            batch = {"run_id": run, "metrics": [metric], "params": [padding]}
            if wire.post("runs/log-batch", batch).status == 200:
                acknowledged.append((f"writer {number}", step, f"pad {number} {step}"))

    threads = [threading.Thread(target=log, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (small_disk.data / "ballast").unlink()
    small_disk.stop()
    assert "ok" in small_disk.command("check").stdout
    small_disk.start()
    assert len(acknowledged) < 800, "the disk never was full"
    data = wire.ok(wire.get("runs/get", run_id=run))["run"]["data"]
    params = {one["key"] for one in data.get("params", [])}
    assert params == {param for _, _, param in acknowledged}
    for number in range(8):
        history = wire.ok(wire.get("metrics/get-history", run_id=run, metric_key=f"writer {number}")).get("metrics", [])
        assert [one["step"] for one in history] == [step for key, step, _ in acknowledged if key == f"writer {number}"]


@pytest.fixture
def folder(tmp_path):
    """A folder of 12 files of two MiB to push."""
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(12):
        (folder / f"part {number}").write_bytes(os.urandom(2 * MEBIBYTE))
    return folder


def native(server):
    return Wire(f"{server.url}/api/v4/projects/1", server.token)


def free(server):
    disk = os.statvfs(server.data)
    return disk.f_bavail * disk.f_frsize


def test_a_push_that_does_not_fit_says_so_and_ends_well_once_there_is_space(small_disk, folder, tmp_path):
    client = Client(tmp_path, small_disk).log_in()
    small = tmp_path / "small"
    small.mkdir()
    (small / "MLmodel").write_bytes(b"flavors: {}")
    client.run("push", small, "churn:1.0.0")
    fill(small_disk.data / "ballast", left=13 * MEBIBYTE)

    error = client.run("push", folder, "churn:1.1.0", code=1)

    assert NO_SPACE in error or DATABASE_FULL in error
    assert "the same command goes on from there" in error
    client.run("pull", "churn@latest", tmp_path / "before")
    assert tree(tmp_path / "before") == tree(small)
    assert [(one["version"], one["state"]) for one in client.json("versions", "churn")] == [
        ("1.1.0", "draft"),
        ("1.0.0", "published"),
    ]
    # What a refused upload had written is given back: the database, on the same disk, goes on.
    with_run(small_disk)

    (small_disk.data / "ballast").unlink()
    pushed = client.json("push", folder, "churn:1.1.0")

    assert (pushed["state"], pushed["number"], pushed["files"]) == ("published", 2, 12)
    assert pushed["sent"] < 24 * MEBIBYTE
    client.run("pull", "churn@latest", tmp_path / "after")
    assert tree(tmp_path / "after") == tree(folder)
    assert "all as they were stored" in small_disk.command("fsck").stdout


def test_a_refused_upload_gives_its_space_back_and_is_gone_on_with(small_disk):
    api = native(small_disk)
    draft = make_draft(api)
    content = os.urandom(20 * MEBIBYTE)
    begun = {"package": str(draft["id"]), "path": "weights.bin", "size": len(content)}
    upload = api.send("POST", "/uploads", json.dumps(begun), {"Content-Type": "application/json"}).json
    fill(small_disk.data / "ballast", left=8 * MEBIBYTE)
    before = free(small_disk)

    refused = api.send("PUT", f"/uploads/{upload['id']}", content)

    assert (refused.status, refused.json["detail"]) == (503, NO_SPACE)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert before - free(small_disk) < MEBIBYTE
    assert api.send("GET", f"/uploads/{upload['id']}").json["done"] is False
    assert api.send("GET", f"{draft['path']}/files").json == []

    (small_disk.data / "ballast").unlink()
    assert api.send("PUT", f"/uploads/{upload['id']}", content).json["done"] is True
    assert api.send("GET", f"{draft['path']}/files/weights.bin").body == content


def make_draft(api):
    headers = {"Content-Type": "application/json"}
    assert api.send("POST", "/models", json.dumps({"name": "churn"}), headers).status == 201
    made = api.send("POST", "/models/churn/versions", json.dumps({"version": "1.0.0"}), headers)
    return made.json | {"path": "/models/churn/versions/1.0.0"}


def test_a_version_is_made_whole_or_not_at_all_while_the_database_has_no_space(small_disk):
    tracking, run, target = with_run(small_disk)
    api = native(small_disk)
    headers = {"Content-Type": "application/json"}
    assert api.send("POST", "/models", json.dumps({"name": "churn"}), headers).status == 201
    for number in range(200):
        assert tracking.send("PUT", target(f"{'long' * 50}/part-{number}"), b"%d" % number).status == 200
    fill(small_disk.data / "ballast")

    def register(number):
        body = {"version": f"1.0.{number}", "run_id": run}
        return api.send("POST", "/models/churn/versions", json.dumps(body), headers)

    made = []
    for number in range(2000):
        answer = register(number)
        if answer.status != 201:
            assert (answer.status, answer.json["detail"]) == (503, DATABASE_FULL)
            break
        made.append(f"1.0.{number}")
    assert len(made) < 2000, "the disk never was full"
    assert api.send("GET", "/models/churn/versions/latest/manifest").json["files"] == 200
    assert api.send("GET", f"/models/churn/versions/1.0.{number}").status == 404

    (small_disk.data / "ballast").unlink()
    assert register(number).status == 201
    assert [whole(api, version) for version in [*made, f"1.0.{number}"]] == [200] * (len(made) + 1)


def whole(api, version):
    """How many files a published version has."""
    found = api.send("GET", f"/models/churn/versions/{version}").json
    assert (found["version"], found["state"]) == (version, "published")
    return api.send("GET", f"/models/churn/versions/{version}/manifest").json["files"]
