"""Versions are made, filled and published, and the power goes in the middle: none is ever published with half its files."""

import hashlib
import http.client
import json
import os
import random
import shutil
import sqlite3
import threading
import time
import urllib.parse

import pytest
from support.client import Client, tree
from support.wire import Wire, artifact

pytestmark = pytest.mark.modelry_only("MLflow's server promises nothing of the kind")

PUBLISHERS = 4
FILES = 24
ROUNDS = int(os.environ.get("E2E_CRASHES", "5"))
SEED = int(os.environ.get("E2E_CRASH_SEED", "20240229"))

JSON = {"Content-Type": "application/json"}


class Cut(Exception):
    """The server went away, or said that it is going."""


class Api:
    """Requests whose failure because of the crash ends the publisher, and any other failure the test."""

    def __init__(self, server):
        self.native = Wire(f"{server.url}/api/v4/projects/1", server.token)
        self.tracking = Wire(server.tracking_uri, server.token)

    def send(self, wire, method, target, body=None, headers=None, also=()):
        try:
            answer = wire.send(method, target, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise Cut from error
        if answer.status == 503:
            raise Cut
        assert answer.status in {200, 201, *also}, f"{method} {target}: {answer.status} {answer.text}"
        return answer

    def call(self, method, path, body, also=()):
        return self.send(self.native, method, path, json.dumps(body), JSON, also)

    def mlflow(self, call, body, also=()):
        return self.send(self.tracking, "POST", f"/api/2.0/mlflow/{call}", json.dumps(body), JSON, also)


class Release:
    """A version as its publisher means it, and what the server has acknowledged of it."""

    def __init__(self, number, serial):
        self.version = f"{number}.{serial}.0"
        chance = random.Random(self.version)
        # The same bytes under two names, and in every version, so that blobs are shared as well as made.
        self.files = {"MLmodel": b"flavors: {}\n", "code/empty": b"", "code/same": b"flavors: {}\n"}
        for file in range(FILES):
            self.files[f"data/part {file}.bin"] = chance.randbytes(chance.choice([10, 4000, 70_000]))
        self.stored = set()
        self.made = False
        self.published = False

    @property
    def path(self):
        return f"/models/churn/versions/{self.version}"

    def publish(self, api, about_to_publish):
        """Makes the version, fills and publishes it. Where some of it is done already it does the rest."""
        draft = self.make(api)
        self.made = True
        if draft["state"] == "draft":
            for path, content in self.files.items():
                self.put(api, draft, path, content)
                self.stored.add(path)
            about_to_publish()
            self.end(api, draft)
        self.published = True

    def find(self, api):
        """The version as the server tells it, or `None`."""
        answer = api.send(api.native, "GET", self.path, also={404})
        return answer.json if answer.status == 200 else None


class ByPackage(Release):
    """As `curl` and GitLab's clients do it: a draft, filled through the package's route, and published by a PATCH."""

    def make(self, api):
        answer = api.call("POST", "/models/churn/versions", {"version": self.version}, also={409})
        return answer.json if answer.status == 201 else self.find(api)

    def put(self, api, draft, path, content):
        api.send(api.native, "PUT", f"/packages/ml_models/{draft['id']}/files/{urllib.parse.quote(path)}", content)

    def end(self, api, _draft):
        api.call("PATCH", self.path, {"state": "published"})


class ByUploads(ByPackage):
    """As `modelry push` does it: every file is announced, and sent in two halves."""

    def put(self, api, draft, path, content):
        sha256 = hashlib.sha256(content).hexdigest()
        announced = {"package": str(draft["id"]), "path": path, "size": len(content), "sha256": sha256}
        upload = api.call("POST", "/uploads", announced).json
        while not upload["done"]:
            # Where all has arrived and the server was killed before it made the file of it, the last byte makes one.
            start = min(upload["received"], max(len(content) - 1, 0))
            end = len(content) // 2 if start < len(content) // 2 else len(content)
            headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(content)}"} if content else {}
            upload = api.send(api.native, "PUT", f"/uploads/{upload['id']}", content[start:end], headers).json


class ByRun(Release):
    """As MLflow's clients do it by GitLab's guide: a version without a source, whose run is logged to, and ends."""

    def make(self, api):
        tags = [{"key": "gitlab.version", "value": self.version}]
        api.mlflow("model-versions/create", {"name": "churn", "source": "", "tags": tags}, also={400})
        return self.find(api)

    def put(self, api, draft, path, content):
        run = api.send(api.tracking, "GET", f"/api/2.0/mlflow/runs/get?run_id={draft['run_id']}").json["run"]
        root = run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
        api.send(api.tracking, "PUT", artifact(f"{root}/{urllib.parse.quote(path)}"), content)

    def end(self, api, draft):
        api.mlflow("runs/update", {"run_id": draft["run_id"], "status": "FINISHED", "end_time": 1})


class BySnapshot(ByRun):
    """As `register_model` does it: a run is logged to first, and the version is made and published from it at once."""

    def publish(self, api, about_to_publish):
        run = api.mlflow("runs/create", {"experiment_id": "0"}).json["run"]["info"]
        for path, content in self.files.items():
            self.put(api, run, f"model/{path}", content)
        about_to_publish()
        tags = [{"key": "gitlab.version", "value": self.version}]
        source = {"source": f"runs:/{run['run_id']}/model", "run_id": run["run_id"], "tags": tags}
        api.mlflow("model-versions/create", {"name": "churn"} | source, also={400})
        self.made = self.published = True


WAYS = [ByPackage, ByUploads, ByRun, BySnapshot]


class Publisher(threading.Thread):
    """Publishes one version after the other, each in another way, until the server is gone."""

    def __init__(self, server, number, about_to_publish):
        super().__init__()
        self.api = Api(server)
        self.number = number
        self.about_to_publish = about_to_publish
        self.releases = []
        self.ended = None

    def run(self):
        try:
            for serial in range(10_000):
                way = WAYS[(self.number + serial) % len(WAYS)]
                self.releases.append(way(self.number, serial))
                self.releases[-1].publish(self.api, self.about_to_publish)
        except Exception as error:
            self.ended = error


class Fuse:
    """Kills the server a moment after so many publications have begun: mostly in the middle of one."""

    def __init__(self, server, publications, delay):
        self.server, self.left, self.delay = server, publications, delay
        self.lock = threading.Lock()
        self.burnt = threading.Event()

    def burn(self):
        with self.lock:
            self.left -= 1
            if self.left == 0:
                self.burnt.set()

    def wait_and_kill(self):
        assert self.burnt.wait(timeout=120), "nothing was published"
        time.sleep(self.delay)
        self.server.kill()


def storm(server, first_number, chance):
    """Publishers at work until the server is killed; returns what they meant to publish."""
    fuse = Fuse(server, chance.randint(1, 12), chance.uniform(0, 0.03))
    publishers = [Publisher(server, first_number + number, fuse.burn) for number in range(PUBLISHERS)]
    for publisher in publishers:
        publisher.start()
    fuse.wait_and_kill()
    for publisher in publishers:
        publisher.join(timeout=60)
        assert isinstance(publisher.ended, Cut), publisher.ended
    return [release for publisher in publishers for release in publisher.releases]


def check(api, release):
    """What was acknowledged of a version is there and whole; what was not is not there, or whole. Answers its state."""
    found = release.find(api)
    if found is None:
        assert not release.made
        return "none"
    listed = files_of(api, release)
    assert set(listed) <= set(release.files)
    for path, file in listed.items():
        content = release.files[path]
        assert (file["size"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        quoted = urllib.parse.quote(path)
        assert api.send(api.native, "GET", f"{release.path}/files/{quoted}").body == content
    if found["state"] == "draft":
        assert not release.published
        assert release.stored <= set(listed)
    else:
        assert set(listed) == set(release.files)
        assert api.send(api.native, "GET", f"{release.path}/manifest").json["sha256"] == manifest(release.files)
    return found["state"]


def files_of(api, release):
    """The files that the server tells of a version: path to what is told of it."""
    answer = api.send(api.native, "GET", f"{release.path}/files?per_page=100")
    assert "Link" not in answer.headers, "a version has fewer files than a page"
    return {file["path"]: file for file in answer.json}


def manifest(files):
    lines = [f"{hashlib.sha256(files[path]).hexdigest()}  {len(files[path])}  {path}\n" for path in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# What must hold of the rows, as statements that find the rows of which it does not.
BOOKS = {
    "a count of files is wrong": """
        SELECT p.project_id, p.blob_id FROM project_blobs p
          LEFT JOIN (SELECT project_id, blob_id, count(*) AS files FROM files GROUP BY project_id, blob_id) f
            ON f.project_id = p.project_id AND f.blob_id = p.blob_id
         WHERE p.files <> coalesce(f.files, 0)""",
    "files are not counted": """
        SELECT f.project_id, f.blob_id FROM files f
         WHERE NOT EXISTS (SELECT 1 FROM project_blobs p WHERE p.project_id = f.project_id AND p.blob_id = f.blob_id)""",
    "a file has no blob": "SELECT f.path FROM files f WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.id = f.blob_id)",
    "a blob that is used may be collected": """
        SELECT b.id FROM blobs b WHERE b.unreferenced_at IS NOT NULL
           AND EXISTS (SELECT 1 FROM project_blobs p WHERE p.blob_id = b.id)""",
    "a published version has no files": """
        SELECT v.id FROM versions v WHERE v.published_at IS NOT NULL
           AND NOT EXISTS (
               SELECT 1 FROM files f WHERE f.project_id = v.project_id AND f.owner = 3 AND f.owner_id = v.id)""",
    "files belong to a version that is not published": """
        SELECT f.owner_id, f.path FROM files f WHERE f.owner = 3
           AND NOT EXISTS (
               SELECT 1 FROM versions v
                WHERE v.project_id = f.project_id AND v.id = f.owner_id AND v.published_at IS NOT NULL)""",
    "a published version's number is free": """
        SELECT v.id FROM versions v WHERE v.published_at IS NOT NULL
           AND NOT EXISTS (
               SELECT 1 FROM published_versions p
                WHERE p.project_id = v.project_id AND p.model_id = v.model_id AND p.version = v.version)""",
}


def check_books(data, folder):
    """Looks at a copy of the database as the crash left it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in data.glob("modelry.db*"):
        shutil.copy(file, folder)
    with sqlite3.connect(folder / "modelry.db") as books:
        for wrong, statement in BOOKS.items():
            assert books.execute(statement).fetchall() == [], wrong


def test_no_version_is_ever_half_published(fresh, tmp_path):
    server = fresh().start()
    Api(server).call("POST", "/models", {"name": "churn"})
    chance = random.Random(SEED)
    states = {"none": 0, "draft": 0, "published": 0}
    for number in range(ROUNDS):
        releases = storm(server, 1 + number * PUBLISHERS, chance)
        check_books(server.data, tmp_path / "books")
        assert "all as they were stored" in server.command("fsck").stdout
        api = Api(server.start())
        for release in releases:
            states[check(api, release)] += 1
        for release in releases:
            if not release.published:
                release.publish(api, lambda: None)
                assert check(api, release) == "published"
    assert states["published"] > ROUNDS, "next to nothing was published, so nothing was shown"
    print(json.dumps({"crashes": ROUNDS} | states))


def count_blobs(server):
    return sum(1 for _ in (server.data / "blobs").glob("*/*"))


def test_a_push_that_is_killed_again_and_again_ends_as_one_whole_version(fresh, tmp_path):
    server = fresh().start()
    client = Client(tmp_path, server).log_in()
    source = tmp_path / "source"
    chance = random.Random(SEED)
    for number in range(60):
        path = source / f"folder {number % 7}" / f"file {number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.choice([0, 100, 900_000])))
    cut = 0
    for _ in range(ROUNDS):
        push = client.start("push", source, "churn:1.2.0")
        arrived = count_blobs(server) + chance.randint(1, 6)
        while push.poll() is None and count_blobs(server) < arrived:
            time.sleep(0.001)
        server.kill()
        push.communicate(timeout=60)
        cut += push.returncode != 0
        check_books(server.data, tmp_path / "books")
        assert "all as they were stored" in server.command("fsck").stdout
        server.start()

    pushed = client.json("push", source, "churn:1.2.0")

    assert cut > 0, "no push was cut off, so nothing was shown"
    assert (pushed["number"], pushed["state"], pushed["files"]) == (1, "published", 60)
    assert len(client.json("versions", "churn")) == 1
    client.run("pull", "churn@^1", tmp_path / "out")
    assert tree(tmp_path / "out") == tree(source)
