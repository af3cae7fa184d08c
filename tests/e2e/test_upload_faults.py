"""Uploads that go wrong: the client leaves, the body is too large, nobody wants it."""

import json
import socket
import uuid

import pytest
from support.wire import Wire, artifact, listing, with_run

MEBIBYTE = 1024 * 1024


@pytest.fixture
def uploads(wire, own_run):
    """Where files of a run go, as a path to PUT to."""
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    return lambda name: artifact(f"{root}/{name}")


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


def peak_memory(server):
    """The most resident memory the server ever had, in bytes."""
    with open(f"/proc/{server.process.pid}/status") as status:
        [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def published(server):
    """The path of a file of a version whose files do not change any more, below the server's address."""
    wire = Wire(f"{server.url}/api/v4/projects/1", server.token)
    name = f"refused-{uuid.uuid4().hex[:8]}"
    headers = {"Content-Type": "application/json"}
    for method, path, body in [
        ("POST", "/models", {"name": name}),
        ("POST", f"/models/{name}/versions", {}),
        ("PUT", f"/models/{name}/versions/1/files/a", {}),
        ("PATCH", f"/models/{name}/versions/1", {"state": "published"}),
    ]:
        answer = wire.send(method, path, json.dumps(body), headers)
        assert answer.status in {200, 201}, answer.text
    return wire, f"{wire.prefix}/models/{name}/versions/1/files/b"


def head_of(wire, target, *more):
    lines = [f"PUT {target} HTTP/1.1", f"Host: {wire.host}", f"Authorization: Bearer {wire.token}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.modelry_only("the protocol has no published versions")
def test_who_sends_everything_before_reading_the_answer_learns_why_it_was_refused(published):
    wire, target = published
    size = 64 * MEBIBYTE
    with socket.create_connection((wire.host, wire.port), timeout=30) as connection:
        connection.sendall(head_of(wire, target, f"Content-Length: {size}"))
        connection.sendall(bytes(size))
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b"its files do not change any more" in answer


@pytest.mark.modelry_only("the protocol has no published versions")
def test_who_asks_before_sending_is_refused_and_nobody_waits_for_the_file(published):
    wire, target = published
    with socket.create_connection((wire.host, wire.port), timeout=3) as connection:
        connection.sendall(head_of(wire, target, f"Content-Length: {MEBIBYTE}", "Expect: 100-continue"))
        answer, end = connection.recv(65536), connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert end == b""
