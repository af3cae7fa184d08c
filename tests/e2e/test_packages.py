"""Packages by plain HTTP: files that come and go as people send them with curl, and archives that other tools open."""

import io
import json
import shutil
import subprocess
import tarfile
import urllib.parse
import zipfile

import pytest
from support.wire import Wire

pytestmark = pytest.mark.modelry_only("MLflow has no packages")

PROJECT = "/api/v4/projects/root%2Fplayground"

FILES = {
    "MLmodel": b"flavors: {}\n",
    "code/empty": b"",
    "code/größe 1.txt": "schön".encode(),
    "data/weights.bin": bytes(range(256)) * 9_000,
    f"{'d' * 100}/{'f' * 100}.txt": b"far away",
}


@pytest.fixture(scope="module")
def api(server):
    return Wire(server.url + PROJECT, server.token)


@pytest.fixture
def draft(api, unique):
    """A draft 1.2.0 of a model of the test's own, with `FILES`."""
    model = unique("churn").replace(" ", "-")
    wanted = {"Content-Type": "application/json"}
    assert api.send("POST", "/models", json.dumps({"name": model}), wanted).status == 201
    made = api.send("POST", f"/models/{model}/versions", json.dumps({"version": "1.2.0"}), wanted)
    for path, data in FILES.items():
        # As GitLab's clients do: a whole path as one name.
        flat = urllib.parse.quote(path, safe="")
        stored = api.send("PUT", f"/packages/ml_models/{made.json['id']}/files/{flat}", data)
        assert (stored.status, stored.json["path"], stored.json["size"]) == (201, path, len(data))
    return made.json


def archive(api, draft, form):
    answer = api.send("GET", f"/models/{draft['model']}/versions/{draft['version']}/archive.{form}")
    assert answer.status == 200, answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    return answer.body


def test_a_zip_archive_has_every_file_as_it_was_sent(api, draft):
    with zipfile.ZipFile(io.BytesIO(archive(api, draft, "zip"))) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == FILES
        assert opened.namelist() == sorted(FILES, key=str.encode)
        assert {one.date_time for one in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.skipif(shutil.which("unzip") is None, reason="there is no unzip here")
def test_unzip_finds_nothing_wrong_with_a_zip_archive(api, draft, tmp_path):
    (tmp_path / "archive.zip").write_bytes(archive(api, draft, "zip"))
    tested = subprocess.run(["unzip", "-t", "archive.zip"], cwd=tmp_path, capture_output=True, text=True)
    assert (tested.returncode, tested.stdout.count(" OK")) == (0, len(FILES)), tested.stdout + tested.stderr


def test_a_tar_archive_has_every_file_as_it_was_sent(api, draft):
    with tarfile.open(fileobj=io.BytesIO(archive(api, draft, "tar"))) as opened:
        assert {one.name: opened.extractfile(one).read() for one in opened} == FILES


def test_a_package_is_listed_under_the_models_name_and_version_and_goes_to_the_bin(api, draft):
    [listed] = api.send("GET", f"/packages?search={draft['model']}&type=version").json
    assert (listed["name"], listed["version"], listed["files"]) == (draft["model"], "1.2.0", len(FILES))
    package = f"/packages/ml_models/{listed['id']}"
    assert api.send("GET", package).json["size"] == sum(map(len, FILES.values()))
    assert api.send("DELETE", package).status == 204
    assert api.send("GET", f"/models/{draft['model']}/versions/1.2.0").status == 404
