"""The commands that speak to a server: what is pushed comes back as it was, whatever happens on the way."""

import contextlib
import hashlib
import http.server
import json
import os
import re
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import pytest
from support.client import Client, tree

pytestmark = pytest.mark.modelry_only("the commands are Modelry's own")

MEBIBYTE = 1024 * 1024


@pytest.fixture
def client(server, tmp_path):
    """Somebody who is logged in."""
    return Client(tmp_path, server).log_in()


@pytest.fixture
def model():
    """The name of a model that nobody else uses."""
    return f"model-{os.urandom(4).hex()}"


@pytest.fixture
def source(tmp_path):
    """A folder with files of every kind that has been trouble somewhere."""
    folder = tmp_path / "source"
    long = "/".join(["a long name " * 15] * 5)
    files = {
        "MLmodel": b"flavors: {}\n",
        "empty": b"",
        "deep/empty": b"",
        "data/big.bin": os.urandom(3 * MEBIBYTE + 7),
        "data/same.bin": b"twice",
        "data/again.bin": b"twice",
        "a b/größe 表 %41+&?.txt": b"odd",
        ".hidden": b"dot",
        f"{long}/x": b"far down",
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_what_is_pulled_is_what_was_pushed(client, source, model, tmp_path):
    pushed = client.run("push", source, model)
    assert f"pushed {model} 1.0.0 (#1): 9 files" in pushed

    pulled = client.run("pull", f"{model}@latest", tmp_path / "out")

    assert tree(tmp_path / "out") == tree(source)
    assert re.findall("sha256:.*", pulled) == re.findall("sha256:.*", pushed)


def test_a_second_push_of_the_same_files_sends_nothing(client, source, model):
    assert client.json("push", source, model)["sent"] > 0
    again = client.json("push", source, model, "--bump", "minor")
    assert (again["version"], again["sent"]) == ("1.1.0", 0)


def test_versions_are_listed_and_selected(client, source, model, tmp_path):
    for bump in ["patch", "minor", "major"]:
        (source / "MLmodel").write_text(bump)
        client.run("push", source, model, "--bump", bump)
    assert [version["version"] for version in client.json("versions", model)] == ["2.0.0", "1.1.0", "1.0.0"]
    assert [row.split()[:2] for row in client.run("versions", model).splitlines()[1:]] == [
        ["2.0.0", "#3"],
        ["1.1.0", "#2"],
        ["1.0.0", "#1"],
    ]
    assert [found["name"] for found in client.json("models", "--search", model.upper())] == [model]
    for selector, expected in [("@^1", "minor"), ("@1", "patch"), (":1.1.0", "minor"), ("", "major")]:
        pulled = client.json("pull", model + selector, tmp_path / f"out{expected}")
        assert (tmp_path / f"out{expected}" / "MLmodel").read_text() == expected, pulled


def test_all_pages_are_listed(client, source, model):
    for name in ["MLmodel", "data"]:
        subprocess.run(["rm", "-r", source / name], check=True)
    for number in range(230):
        (source / f"file {number}").write_text(str(number))
    assert client.json("push", source, model)["files"] == 230 + 5
    assert client.json("pull", model, source.parent / "out")["files"] == 230 + 5


def test_a_pushed_version_is_not_pushed_twice(client, source, model):
    client.run("push", source, f"{model}:1.2.0")
    assert client.json("push", source, f"{model}:1.2.0")["was_there"]
    (source / "MLmodel").write_text("other")
    error = client.run("push", source, f"{model}:1.2.0", code=1)
    assert "The next free one is 1.2.1" in error


def test_a_draft_is_left_filled_and_published(client, source, model, tmp_path):
    draft = client.json("push", source, f"{model}:0.1.0", "--draft")
    assert draft["state"] == "draft"
    (source / "empty").unlink()
    published = client.json("push", source, f"{model}:0.1.0")
    assert (published["state"], published["number"], published["files"]) == ("published", draft["number"], 8)
    client.run("pull", f"{model}:0.1.0", tmp_path / "out")
    assert tree(tmp_path / "out") == tree(source)


def test_files_that_somebody_else_put_into_a_draft_are_not_deleted_unasked(client, source, model, tmp_path):
    client.run("push", source, f"{model}:0.1.0", "--draft")
    other = Client(tmp_path / "other", client.server).log_in()
    (source / "empty").unlink()
    error = other.run("push", source, f"{model}:0.1.0", code=1)
    assert "has files that the folder does not: empty" in error
    assert other.json("push", source, f"{model}:0.1.0", "--prune")["files"] == 8


def test_a_model_is_not_made_where_that_is_not_wanted(client, source, model):
    assert f"there is no model {model}" in client.run("push", source, model, "--no-create", code=1)
    assert client.json("models", "--search", model) == []


def test_versions_are_compared(client, source, model, tmp_path):
    def safetensors(shape):
        header = json.dumps({"w": {"dtype": "U8", "shape": shape, "data_offsets": [0, 6]}}).encode()
        return len(header).to_bytes(8, "little") + header + bytes(6)

    (source / "w.safetensors").write_bytes(safetensors([2, 3]))
    client.run("push", source, model)
    (source / "w.safetensors").write_bytes(safetensors([6]))
    (source / "new").write_bytes(b"1")
    (source / "empty").unlink()
    client.run("push", source, model)

    assert client.json("diff", f"{model}@1", f"{model}@1")["same"] == 10
    found = client.json("diff", f"{model}@1", f"{model}@2", code=1)
    assert found["changed"][0]["facts"]["tensors"]["changed"][0]["after"]["shape"] == [6]
    done = client.run("diff", f"{model}@1", f"{model}@2", code=1)
    assert [line for line in done.splitlines() if line[0] in "+-~"] == [
        "- empty  0 B",
        "+ new  1 B",
        "~ w.safetensors  77 B -> 74 B",
    ]
    assert "    ~ tensor w  U8 [2, 3] -> U8 [6]" in done
    client.run("diff", f"{model}@1", f"{model}@9", code=2)


def test_a_changed_file_is_pulled_again_and_others_are_left_alone(client, source, model, tmp_path):
    client.run("push", source, model)
    client.run("pull", model, tmp_path / "out")
    (tmp_path / "out/mine").write_text("mine")
    (tmp_path / "out/.hidden").write_text("DOT")

    assert client.json("pull", model, tmp_path / "out")["kept_files"] == 8

    assert tree(tmp_path / "out") == tree(source) | {"mine": b"mine"}


def test_a_damaged_part_of_an_earlier_pull_does_no_harm(client, source, model, tmp_path):
    client.run("push", source, model)
    whole = (source / "data/big.bin").read_bytes()
    unfinished = tmp_path / "out/.modelry"
    unfinished.mkdir(parents=True)
    part = unfinished / f"{hashlib.sha256(whole).hexdigest()}.part"
    part.write_bytes(bytes([whole[0] ^ 1]) + whole[1:MEBIBYTE])

    client.run("pull", model, tmp_path / "out")

    assert tree(tmp_path / "out") == tree(source)
    assert not unfinished.exists()


def test_what_no_version_can_have_is_refused_by_name(client, source, model):
    (source / "link").symlink_to("data")
    assert "link is a link to something else than a file" in client.run("push", source, model, code=1)
    assert client.json("models", "--search", model) == []


def test_a_token_is_read_from_standard_input_and_checked(server, tmp_path):
    client = Client(tmp_path, server)
    address = f"{server.url}/root/playground"
    with client.start("login", address, stdin=subprocess.PIPE) as process:
        out, _ = process.communicate(f"{server.token}\n", timeout=60)
    assert "logged in to root/playground" in out
    assert (tmp_path / "config/modelry/login.toml").stat().st_mode & 0o777 == 0o600

    error = client.run("login", address, "--token", "mdl-wrong-wrong-wrong-wrong", code=1)

    assert "the token does not work" in error
    assert client.run("models"), "the login before is still there"


def test_the_token_goes_to_no_other_host(client):
    seen = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers.get("Authorization")))
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{elsewhere.server_port}/stolen")
            self.end_headers()

        def log_message(self, *_):
            pass

    elsewhere = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    error = client.run("models", "--url", f"http://127.0.0.1:{elsewhere.server_port}/root/playground", code=1)
    elsewhere.shutdown()
    assert "answers with a redirect to" in error
    assert seen == [("/api/v4/projects/root%2Fplayground/models?per_page=100", None)]


def await_size(read, wanted):
    """Waits until what grows, or may not be there yet, is as large as wanted."""
    deadline = time.monotonic() + 60
    while read() < wanted:
        assert time.monotonic() < deadline, "it did not get this far"
        time.sleep(0.005)


def size_of(folder, pattern):
    return sum(path.stat().st_size for path in folder.glob(pattern))


def test_a_pull_goes_on_where_the_server_was_killed(fresh, tmp_path):
    server = fresh().start()
    client = Client(tmp_path, server).log_in()
    source = tmp_path / "source"
    source.mkdir()
    (source / "large").write_bytes(os.urandom(200 * MEBIBYTE))
    (source / "small").write_bytes(b"small")
    client.run("push", source, "churn")
    unfinished = tmp_path / "out/.modelry"
    pull = client.start("pull", "churn", tmp_path / "out")
    await_size(lambda: size_of(unfinished, "*.pieces"), 1)
    server.kill()
    _, error = pull.communicate(timeout=60)
    assert pull.returncode == 1
    assert "the same command goes on from there" in error
    assert not (tmp_path / "out/large").exists()

    server.start()
    client.run("pull", "churn", tmp_path / "out")

    assert tree(tmp_path / "out") == tree(source)


def test_a_push_goes_on_where_the_server_was_killed(fresh, tmp_path):
    server = fresh().start()
    client = Client(tmp_path, server).log_in()
    source = tmp_path / "source"
    source.mkdir()
    for name in ["one", "two"]:
        (source / name).write_bytes(os.urandom(160 * MEBIBYTE))
    push = client.start("push", source, "churn", "--bump", "minor")
    await_size(lambda: size_of(server.data / "blobs", "*/*"), 240 * MEBIBYTE)
    server.kill()
    _, error = push.communicate(timeout=60)
    assert push.returncode == 1
    assert "the same command goes on from there" in error

    server.start()
    pushed = client.json("push", source, "churn", "--bump", "minor")

    assert (pushed["version"], pushed["number"], pushed["state"]) == ("1.0.0", 1, "published")
    assert pushed["sent"] <= (320 - 32) * MEBIBYTE
    client.run("pull", "churn", tmp_path / "out")
    assert tree(tmp_path / "out") == tree(source)


@pytest.fixture
def damaged(fresh, tmp_path):
    """A version of one file of which a byte was flipped, its server, its client, and how to flip it back."""
    server = fresh().start()
    client = Client(tmp_path, server).log_in()
    source = tmp_path / "source"
    source.mkdir()
    (source / "weights.bin").write_bytes(os.urandom(2 * MEBIBYTE))
    client.run("push", source, "churn")
    [blob] = [path for path in (server.data / "blobs").glob("*/*") if path.stat().st_size == 2 * MEBIBYTE]

    def flip():
        content = bytearray(blob.read_bytes())
        content[MEBIBYTE] ^= 1
        blob.write_bytes(content)

    flip()
    return server, client, flip, blob


def test_fsck_finds_a_flipped_byte_and_sees_that_it_was_repaired(damaged):
    server, _, flip, blob = damaged
    done = server.command("fsck", check=False)
    assert done.returncode == 1
    assert f"damaged: blobs/{blob.parent.name}/{blob.name}" in done.stdout
    assert "    root/playground: churn 1.0.0: weights.bin" in done.stdout

    flip()
    assert "all as they were stored again" in server.command("fsck").stdout
    assert "all as they were stored" in server.command("fsck").stdout


def test_fsck_works_without_a_server(damaged):
    server, _, _, blob = damaged
    server.stop()
    blob.unlink()
    done = server.command("fsck", "--json", check=False)
    [found] = json.loads(done.stdout)["damaged"]
    assert (done.returncode, found["problem"]) == (1, "the bytes are missing")
    owners = ["candidate 1", "churn 1.0.0"]
    assert found["files"] == [
        {"project": "root/playground", "owner": owner, "path": "weights.bin"} for owner in owners
    ]


def download(server):
    """The weights by curl: its exit code, the status, and how much arrived."""
    path = urllib.parse.quote("/api/v4/projects/1/models/churn/versions/1.0.0/files/weights.bin")
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{size_download}"]
    command += ["-H", f"Authorization: Bearer {server.token}", server.url + path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, *map(int, done.stdout.split())


def test_a_flipped_byte_is_never_delivered_as_a_whole_answer(damaged, tmp_path):
    server, client, _, _ = damaged
    code, status, size = download(server)
    assert (code, status) == (18, 200), "curl says that the answer was cut short"
    assert size < 2 * MEBIBYTE
    assert "these bytes are damaged" in client.run("pull", "churn", tmp_path / "out", code=1)
    assert not (tmp_path / "out/weights.bin").exists()

    server.command("fsck", check=False)

    assert download(server)[1] == 503
    assert "weights.bin are damaged" in client.run("pull", "churn", tmp_path / "out", code=1)


def test_a_pull_verifies_what_the_server_could_not(damaged, tmp_path):
    server, client, _, _ = damaged
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "modelry.db")) as database, database:
        database.execute("DELETE FROM blob_checksums")
    server.start()

    assert "do not verify" in client.run("pull", "churn", tmp_path / "out", code=1)
    assert not (tmp_path / "out/weights.bin").exists()


def test_bytes_that_are_damaged_are_sent_again_and_served_from_the_new_ones(damaged, tmp_path):
    server, client, _, _ = damaged
    server.command("fsck", check=False)
    assert client.json("push", tmp_path / "source", "churn")["sent"] == 2 * MEBIBYTE
    client.run("pull", "churn@latest", tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "source")
