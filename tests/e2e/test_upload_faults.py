"""Uploads that go wrong: the client leaves, the disk is full, the body is too large."""

import os
import socket
import subprocess
import threading
import time

import pytest
from support.wire import Wire, artifact

MEBIBYTE = 1024 * 1024


@pytest.fixture
def uploads(wire, own_run):
    """Where files of a run go, as a path to PUT to."""
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    return lambda name: artifact(f"{root}/{name}")


def listing(wire, run):
    return {one["path"]: one["file_size"] for one in wire.ok(wire.get("artifacts/list", run_id=run)).get("files", [])}


def leave_in_the_middle(wire, target, announced, sent):
    """Announces a body of one length, sends less, and hangs up."""
    with socket.create_connection((wire.host, wire.port)) as connection:
        head = f"PUT {wire.prefix}{target} HTTP/1.1\r\nHost: {wire.host}\r\nAuthorization: Bearer {wire.token}\r\n"
        connection.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode() + b"x" * sent)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


@pytest.mark.modelry_only("MLflow's server may keep what arrived")
def test_a_client_that_leaves_in_the_middle_leaves_nothing(wire, own_run, uploads):
    answer = leave_in_the_middle(wire, uploads("half.bin"), 8 * MEBIBYTE, 3 * MEBIBYTE)
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert listing(wire, own_run["run_id"]) == {}
    assert wire.send("GET", uploads("half.bin")).status == 404


@pytest.mark.modelry_only("MLflow's server may keep what arrived")
def test_a_broken_overwrite_leaves_the_old_file(wire, own_run, uploads):
    assert wire.send("PUT", uploads("model.bin"), b"the good one").status == 200
    leave_in_the_middle(wire, uploads("model.bin"), 8 * MEBIBYTE, 3 * MEBIBYTE)
    assert wire.send("GET", uploads("model.bin")).body == b"the good one"
    assert listing(wire, own_run["run_id"]) == {"model.bin": len("the good one")}


@pytest.mark.modelry_only("MLflow's server takes a body of any size")
def test_a_json_body_that_is_too_large_is_refused_before_it_is_read(wire):
    headers = {"Content-Type": "application/json", "Content-Length": str(10 * 1024**3)}
    with socket.create_connection((wire.host, wire.port), timeout=30) as connection:
        lines = [f"POST {wire.prefix}/api/2.0/mlflow/runs/log-batch HTTP/1.1", f"Host: {wire.host}"]
        lines += [f"{name}: {value}" for name, value in (headers | {"Authorization": f"Bearer {wire.token}"}).items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(65536).split(b" ")[1] == b"413"


@pytest.mark.modelry_only("MLflow's server takes a file of any size")
@pytest.mark.parametrize("announced", [True, False])
def test_a_file_over_the_limit_is_refused_and_not_kept(fresh, announced):
    server = fresh(settings={"MODELRY_MAX_FILE_BYTES": str(MEBIBYTE)}).start()
    wire, run, target = with_run(server)
    headers = {"Content-Length": str(2 * MEBIBYTE)} if announced else {}
    refused = wire.send("PUT", target("large.bin"), (bytes(4096) for _ in range(512)), headers)
    assert refused.status == 413
    assert wire.send("PUT", target("fits.bin"), bytes(MEBIBYTE)).status == 200
    assert listing(wire, run) == {"fits.bin": MEBIBYTE}


@pytest.mark.modelry_only("MLflow's server sets no such limit")
def test_a_large_upload_and_download_need_little_memory(fresh):
    server = fresh().start()
    wire, _, target = with_run(server)
    before = peak_memory(server)
    size = 512 * MEBIBYTE
    sent = wire.send("PUT", target("large.bin"), (bytes(MEBIBYTE) for _ in range(512)), {"Content-Length": str(size)})
    assert sent.status == 200
    with socket.create_connection((wire.host, wire.port)) as connection:
        head = f"GET {wire.prefix}{target('large.bin')} HTTP/1.0\r\nAuthorization: Bearer {wire.token}\r\n\r\n"
        connection.sendall(head.encode())
        received = 0
        while chunk := connection.recv(MEBIBYTE):
            received += len(chunk)
    assert received > size
    assert peak_memory(server) - before < 64 * MEBIBYTE


def with_run(server):
    """A fresh server with one run: raw requests, what is known of the run, and where its files go."""
    wire = Wire(server.tracking_uri, server.token)
    info = wire.ok(wire.post("runs/create", {"experiment_id": "0"}))["run"]["info"]
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    return wire, info["run_id"], lambda name: artifact(f"{root}/{name}")


def peak_memory(server):
    """The most resident memory the server ever had, in bytes."""
    with open(f"/proc/{server.process.pid}/status") as status:
        [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.fixture
def small_disk(fresh):
    """A server whose data folder is a disk of 48 MiB."""
    server = fresh()
    server.data.mkdir()
    mounted = os.geteuid() == 0 and mount(server.data)
    if not mounted:
        pytest.skip("a small disk needs the right to mount one")
    try:
        with server:
            yield server
    finally:
        subprocess.run(["umount", server.data], check=True)


def mount(folder):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder]).returncode == 0


@pytest.mark.modelry_only("what MLflow's server does on a full disk is its own affair")
def test_an_upload_to_a_full_disk_is_refused_and_the_server_lives(small_disk):
    wire, run, target = with_run(small_disk)
    assert wire.send("PUT", target("fits.bin"), b"a" * 8 * MEBIBYTE).status == 200
    refused = wire.send("PUT", target("too_large.bin"), b"b" * 60 * MEBIBYTE)
    assert refused.status in {503, 507}
    assert listing(wire, run) == {"fits.bin": 8 * MEBIBYTE}
    # The space of what was refused may be held a moment longer, while it is still being synced.
    deadline = time.monotonic() + 30
    while wire.send("PUT", target("small.bin"), b"c" * MEBIBYTE).status != 200:
        assert time.monotonic() < deadline, "the space of the refused file was never freed"
    assert wire.send("GET", target("fits.bin")).body == b"a" * 8 * MEBIBYTE


@pytest.mark.modelry_only("what MLflow's server does on a full disk is its own affair")
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


def fill(path):
    """Leaves about a mebibyte free."""
    free = os.statvfs(path.parent)
    with path.open("wb") as ballast:
        ballast.write(bytes(free.f_bavail * free.f_frsize - MEBIBYTE))
