"""Bad input: every answer says what was wrong, in MLflow's words, and nothing gets in."""

import base64
import json
import urllib.parse

import pytest
from support.native import Native
from support.wire import Wire, artifact

JSON = {"Content-Type": "application/json"}
SILENT = pytest.mark.modelry_only("MLflow's server takes it silently, or fails with 500")


# Bodies


@pytest.mark.parametrize("body", ["{", "", "not json", "nul", '{"experiment_id": }'])
def test_malformed_json_is_a_missing_parameter(wire, body):
    answer = wire.send("POST", "/api/2.0/mlflow/experiments/create", body, JSON)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")


@SILENT
@pytest.mark.parametrize("body", ["[]", "7", "null", "[[[[[[[[]]]]]]]]", "[" * 100_000])
def test_json_that_is_no_object_is_refused(wire, body):
    answer = wire.send("POST", "/api/2.0/mlflow/experiments/create", body, JSON)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")


@SILENT
@pytest.mark.parametrize(
    "body",
    [{"name": 7}, {"name": ["x"]}, {"name": {"a": 1}}, {"name": "n", "tags": "x"}, {"name": "n", "tags": [{"key": 1}]}],
)
def test_wrong_types_are_refused(wire, body):
    assert wire.post("experiments/create", body).error == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    ("call", "body", "missing"),
    [
        ("experiments/create", {}, "name"),
        ("runs/log-metric", {"run_id": "x", "key": "k", "value": 1}, "timestamp"),
        ("runs/log-metric", {"run_id": "x", "value": 1, "timestamp": 1}, "key"),
        ("runs/set-tag", {"run_id": "x", "value": "v"}, "key"),
        ("runs/delete", {}, "run_id"),
    ],
)
def test_a_missing_parameter_is_named(wire, call, body, missing):
    answer = wire.post(call, body)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert f"'{missing}'" in answer.json["message"]


@pytest.mark.parametrize("timestamp", [-1, "noon"] + [pytest.param(odd, marks=SILENT) for odd in (2**63, 1.5)])
def test_a_timestamp_that_is_none_is_refused(wire, own_run, timestamp):
    body = {"run_id": own_run["run_id"], "key": "loss", "value": 1, "timestamp": timestamp}
    assert wire.post("runs/log-metric", body).error == (400, "INVALID_PARAMETER_VALUE")


# Unknown ids


@pytest.mark.parametrize(
    ("method", "call", "body"),
    [
        ("GET", "runs/get?run_id=" + "0" * 32, None),
        ("POST", "runs/delete", {"run_id": "0" * 32}),
        ("POST", "runs/log-parameter", {"run_id": "0" * 32, "key": "a", "value": "b"}),
        ("GET", "experiments/get?experiment_id=987654321", None),
        ("GET", "experiments/get-by-name?experiment_name=no%20such", None),
        ("POST", "experiments/delete", {"experiment_id": "987654321"}),
        ("POST", "runs/create", {"experiment_id": "987654321"}),
        ("GET", "logged-models/m-" + "0" * 32, None),
        ("DELETE", "logged-models/m-" + "0" * 32, {}),
    ],
)
def test_an_unknown_id_is_not_found(wire, method, call, body):
    answer = wire.send(method, f"/api/2.0/mlflow/{call}", json.dumps(body) if body is not None else None, JSON)
    assert answer.error == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("experiment", ["abc", "1.5", pytest.param("9" * 23, marks=SILENT)])
def test_an_experiment_id_that_is_no_number_is_refused(wire, experiment):
    assert wire.get("experiments/get", experiment_id=experiment).status in {400, 404}


# Paths


def once(path):
    """The path as an attacker encodes it to get past a first look."""
    return urllib.parse.quote(path, safe="").replace(".", "%2E")


ATTACKS = ["../secret", "a/../../secret", "..", "a/..", "/etc/passwd", "//etc/passwd", "./../x", "a/./../../x", "file:///etc/passwd"]
ON_WINDOWS = ["..\\secret", "a\\..\\..\\secret", "C:/secret", "C:\\secret", "c:secret", "\\\\host\\share\\x"]
NUL = ["a\0b", "a.txt\0.png", "\0"]


def attack_paths():
    for path in ATTACKS + ON_WINDOWS + NUL:
        single = once(path)
        yield single
        yield once(single)
        yield once(once(single))


@pytest.mark.modelry_only("MLflow's server takes a backslash and NUL on POSIX")
@pytest.mark.parametrize("path", attack_paths())
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_no_form_of_traversal_gets_through_a_path(wire, own_run, method, path):
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    answer = wire.send(method, artifact(f"{root}/{path}"), b"x" if method == "PUT" else None)
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "Invalid path" in answer.json["message"]


@pytest.mark.modelry_only("a raw dot segment in a request line")
@pytest.mark.parametrize("path", ["../../../../etc/passwd", "1/../../x", "..%2f..%2fx", "%2e%2e/x", "a/%00", "a/%0a"])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_no_raw_form_of_traversal_gets_through(wire, method, path):
    answer = wire.send(method, artifact(path), b"x" if method == "PUT" else None)
    assert answer.status in {400, 404}
    assert b"root:" not in answer.body


@pytest.mark.modelry_only("MLflow's server takes a backslash and NUL on POSIX")
@pytest.mark.parametrize("path", ATTACKS + ON_WINDOWS + NUL)
def test_no_form_of_traversal_gets_through_a_query(wire, own_run, path):
    run = own_run["run_id"]
    for encoded in (once(path), once(once(path))):
        assert wire.send("GET", f"/api/2.0/mlflow/artifacts/list?run_id={run}&path={encoded}").status == 400
        assert wire.send("GET", f"/api/2.0/mlflow-artifacts/artifacts?path={encoded}").status == 400
        assert wire.send("GET", f"/get-artifact?run_id={run}&path={encoded}").status == 400
        upload = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={encoded}"
        assert wire.send("POST", upload, b"x").status == 400


def test_a_folder_cannot_be_uploaded_or_downloaded_as_a_file(wire, own_run):
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert wire.send("PUT", artifact(f"{root}/folder/"), b"x").status == 400
    assert wire.send("PUT", artifact(f"{root}/folder/a.txt"), b"x").status == 200
    assert wire.send("GET", artifact(f"{root}/folder")).status == 400


# Callers


@pytest.fixture(scope="module")
def native(server):
    return Native(server.url, server.token)


@pytest.mark.modelry_only("MLflow's server asks for no token")
@pytest.mark.parametrize("token", [None, "", "wrong", "mdl-0123456789abcdef0123456789abcdef01234567", "ü"])
def test_a_call_without_a_valid_token_says_where_to_get_one(server, token):
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    answer = Wire(server.tracking_uri).send("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers)
    assert answer.error == (401, "UNAUTHENTICATED")
    assert f"{server.url}/-/user_settings/personal_access_tokens" in answer.json["message"]


@pytest.mark.modelry_only("MLflow's server asks for no token")
def test_a_revoked_token_is_refused_at_once(server, native, unique):
    made = native.create_token(unique("revoked"), ["api"])
    caller = Wire(server.tracking_uri, made["token"])
    caller.ok(caller.get("experiments/get", experiment_id="0"))
    native.revoke_token(made["id"])
    assert caller.get("experiments/get", experiment_id="0").error == (401, "UNAUTHENTICATED")


@pytest.mark.modelry_only("MLflow's server asks for no token")
def test_an_expired_token_is_refused(server):
    expired = server.new_token("root", "api", "--expires-in-days", "0")
    answer = Wire(server.tracking_uri, expired).get("experiments/get", experiment_id="0")
    assert answer.error == (401, "UNAUTHENTICATED")
    assert "personal_access_tokens" in answer.json["message"]


@pytest.mark.modelry_only("MLflow's server asks for no token")
def test_a_read_token_reads_searches_and_does_not_write(server, native, unique):
    caller = Wire(server.tracking_uri, native.create_token(unique("reader"), ["read_api"])["token"])
    caller.ok(caller.get("experiments/get", experiment_id="0"))
    caller.ok(caller.post("experiments/search", {"max_results": 1}))
    caller.ok(caller.post("runs/search", {"experiment_ids": ["0"]}))
    assert caller.post("experiments/create", {"name": unique("no")}).error == (403, "PERMISSION_DENIED")
    assert caller.post("runs/create", {"experiment_id": "0"}).error == (403, "PERMISSION_DENIED")


@pytest.mark.modelry_only("MLflow's server asks for no token")
@pytest.mark.parametrize("scheme", ["Basic", "PRIVATE-TOKEN"])
def test_a_token_works_in_every_header_that_carries_one(server, scheme):
    basic = base64.b64encode(f"root:{server.token}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"} if scheme == "Basic" else {"PRIVATE-TOKEN": server.token}
    answer = Wire(server.tracking_uri).send("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers)
    assert answer.status == 200


@pytest.mark.modelry_only("projects are Modelry's")
def test_a_stranger_cannot_tell_a_private_project_from_none(server, native, unique):
    private = native.create_project(unique("private"), "private")
    name = unique("stranger").replace(" ", "-")
    native.create_user(name)
    stranger = server.new_token(name)
    answers = []
    for project in (private["id"], 987654321):
        answer = Wire(server.project_uri(project), stranger).get("experiments/get", experiment_id="0")
        answers.append((answer.status, answer.text.replace(str(project), "N")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.modelry_only("projects are Modelry's")
def test_a_guest_reads_and_a_reporter_writes(server, native, unique):
    project = native.create_project(unique("shared"), "private")
    name = unique("member").replace(" ", "-")
    native.create_user(name)
    member = Wire(server.project_uri(project["id"]), server.new_token(name))
    native.add_member(project["id"], name, "guest")
    member.ok(member.get("experiments/get", experiment_id="0"))
    assert member.post("experiments/create", {"name": "x"}).error == (403, "PERMISSION_DENIED")
    native.change_role(project["id"], name, "reporter")
    member.ok(member.post("experiments/create", {"name": "x"}))


@pytest.mark.modelry_only("projects are Modelry's")
def test_a_run_of_another_project_is_not_found(server, native, own_run, unique):
    other = native.create_project(unique("other"), "private")
    elsewhere = Wire(server.project_uri(other["id"]), server.token)
    assert elsewhere.get("runs/get", run_id=own_run["run_id"]).error == (404, "RESOURCE_DOES_NOT_EXIST")
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert elsewhere.send("GET", artifact(f"{root}/x.txt")).status == 404


@pytest.mark.modelry_only("projects are Modelry's")
def test_a_project_is_addressed_by_its_encoded_path_too(server):
    by_path = Wire(server.project_uri("root%2Fplayground"), server.token)
    assert by_path.ok(by_path.get("experiments/get", experiment_id="0"))["experiment"]["name"] == "Default"


@pytest.mark.modelry_only("Modelry's own API")
def test_the_native_api_describes_its_problems(server):
    answer = Wire(server.url, server.token).send("GET", "/api/v4/projects/987654321")
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (404, "application/problem+json")
    assert answer.json["status"] == 404
