"""The MLflow protocol on the wire: what clients in any language rely on, byte for byte."""

import json

import pytest
from support.wire import artifact

LONG_AGO = 1_600_000_000_000


@pytest.fixture
def run(own_run):
    return own_run["run_id"]


def data(wire, run):
    return wire.ok(wire.get("runs/get", run_id=run))["run"]["data"]


def points(wire, run, key, **query):
    return wire.ok(wire.get("metrics/get-history", run_id=run, metric_key=key, **query))


def log(wire, run, key, value, timestamp, step=0):
    body = {"run_id": run, "key": key, "value": value, "timestamp": timestamp, "step": step}
    return wire.post("runs/log-metric", body)


# JSON


def test_int64_fields_are_numbers_and_ids_are_strings(wire, own_experiment):
    body = {"experiment_id": own_experiment, "start_time": LONG_AGO}
    info = wire.ok(wire.post("runs/create", body))["run"]["info"]
    assert (info["start_time"], info["experiment_id"]) == (LONG_AGO, own_experiment)
    assert type(info["experiment_id"]) is str
    assert "end_time" not in info


@pytest.mark.parametrize("sent", [1234, "1234", 1234.0])
def test_int64_is_read_from_a_number_a_numeric_string_and_a_whole_float(wire, run, sent):
    wire.ok(log(wire, run, "loss", 0.5, sent, sent))
    assert points(wire, run, "loss")["metrics"] == [{"key": "loss", "value": 0.5, "timestamp": 1234, "step": 1234}]


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("0.25", 0.25), ("NaN", "NaN"), ("Infinity", 1.7976931348623157e308), ("-Infinity", -1.7976931348623157e308)],
)
def test_doubles_are_read_from_strings_too(wire, run, sent, answered):
    wire.ok(log(wire, run, "loss", sent, 1))
    assert points(wire, run, "loss")["metrics"][0]["value"] == answered


@pytest.mark.modelry_only("MLflow's server takes it for 0")
def test_a_bare_nan_is_read_as_python_writes_it(wire, run):
    wire.ok(log(wire, run, "loss", float("nan"), 1))
    assert data(wire, run)["metrics"][0]["value"] == "NaN"


def test_camel_case_is_accepted_on_input(wire, own_experiment):
    made = wire.ok(wire.post("runs/create", {"experimentId": own_experiment, "runName": "camel", "startTime": 7}))
    assert (made["run"]["info"]["run_name"], made["run"]["info"]["start_time"]) == ("camel", 7)


def test_both_spellings_of_one_field_are_refused(wire, own_experiment):
    answer = wire.post("runs/create", {"experimentId": own_experiment, "experiment_id": own_experiment})
    assert answer.status == 400


def test_unknown_fields_are_ignored(wire, own_experiment):
    wire.ok(wire.post("runs/create", {"experiment_id": own_experiment, "no_such_field": {"a": [1]}}))


def test_run_uuid_is_a_synonym_of_run_id(wire, run):
    wire.ok(wire.post("runs/log-parameter", {"run_uuid": run, "key": "depth", "value": "3"}))
    answered = wire.ok(wire.get("runs/get", run_uuid=run))["run"]
    assert answered["info"]["run_uuid"] == answered["info"]["run_id"] == run
    assert answered["data"]["params"] == [{"key": "depth", "value": "3"}]


def test_success_without_content_is_an_empty_object(wire, run):
    answer = wire.post("runs/set-tag", {"run_id": run, "key": "a", "value": "b"})
    assert wire.ok(answer) == {}
    assert answer.headers["Content-Type"].startswith("application/json")


def test_empty_lists_are_left_out(wire, run):
    answered = wire.ok(wire.get("runs/get", run_id=run))["run"]
    assert "metrics" not in answered["data"]
    assert "params" not in answered["data"]
    assert answered["inputs"] == {}


def test_a_json_charset_is_accepted(wire, run):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    body = json.dumps({"run_id": run, "key": "a", "value": "ü"})
    wire.ok(wire.send("POST", "/api/2.0/mlflow/runs/set-tag", body, headers))


def test_a_body_that_is_not_declared_as_json_is_refused(wire, run):
    body = json.dumps({"run_id": run, "key": "a", "value": "b"})
    answer = wire.send("POST", "/api/2.0/mlflow/runs/set-tag", body, {"Content-Type": "text/plain"})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")


# Methods and routes


def test_ajax_api_is_the_same_as_api(wire, run):
    assert wire.send("GET", f"/ajax-api/2.0/mlflow/runs/get?run_id={run}").json == wire.ok(wire.get("runs/get", run_id=run))


def test_experiments_are_searched_by_get_and_by_post(wire, own_experiment):
    by_post = wire.ok(wire.post("experiments/search", {"max_results": 3, "order_by": ["experiment_id DESC"]}))
    by_get = wire.ok(wire.get("experiments/search", max_results=3, order_by=["experiment_id DESC"]))
    assert by_post["experiments"] == by_get["experiments"]
    assert by_get["experiments"][0]["experiment_id"] == own_experiment


def test_delete_reads_its_json_body(wire, own_experiment):
    made = wire.ok(wire.post("logged-models", {"experiment_id": own_experiment, "name": "m"}))["model"]["info"]
    wire.ok(wire.patch(f"logged-models/{made['model_id']}/tags", {"tags": [{"key": "a", "value": "b"}]}))
    wire.ok(wire.delete(f"logged-models/{made['model_id']}/tags/a"))
    answered = wire.ok(wire.get(f"logged-models/{made['model_id']}"))["model"]["info"]
    assert "tags" not in answered


def test_health_and_version_are_plain_text(wire):
    assert wire.send("GET", "/health").text == "OK"
    assert wire.send("GET", "/version").text.split(".")[0] == "3"


def test_server_info_says_what_is_offered(wire):
    info = wire.ok(wire.send("GET", "/api/3.0/mlflow/server-info"))
    assert info["multipart_uploads_enabled"] is False
    assert info["workspaces_enabled"] is False


@pytest.mark.modelry_only("MLflow's server answers unknown routes with a page")
@pytest.mark.parametrize("path", ["/api/3.0/mlflow/traces/search", "/api/3.0/mlflow/gateway/secrets/list", "/api/2.0/mlflow/nope"])
def test_what_is_not_offered_is_endpoint_not_found(wire, path):
    assert wire.send("POST", path, "{}", {"Content-Type": "application/json"}).error == (404, "ENDPOINT_NOT_FOUND")


# Limits


@pytest.mark.parametrize(
    ("field", "count"), [("metrics", 1001), ("params", 101), ("tags", 101)], ids=["metrics", "params", "tags"]
)
def test_a_batch_over_its_limit_is_refused(wire, run, field, count):
    entry = {"value": "1", "timestamp": 1} if field == "metrics" else {"value": "1"}
    answer = wire.post("runs/log-batch", {"run_id": run, field: [{"key": f"k{n}"} | entry for n in range(count)]})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "A batch logging request can contain at most" in answer.json["message"]


def test_a_batch_is_all_or_nothing(wire, run):
    wire.ok(wire.post("runs/log-parameter", {"run_id": run, "key": "depth", "value": "3"}))
    batch = {
        "run_id": run,
        "params": [{"key": "depth", "value": "4"}],
        "metrics": [{"key": "loss", "value": 1, "timestamp": 1}],
    }
    assert wire.post("runs/log-batch", batch).status == 400
    assert "metrics" not in data(wire, run)


@pytest.mark.parametrize(("call", "length", "kept"), [("log-parameter", 7000, 6000), ("set-tag", 9000, 8000)])
def test_long_values_are_cut_silently(wire, run, call, length, kept):
    wire.ok(wire.post(f"runs/{call}", {"run_id": run, "key": "long", "value": "ü" * length}))
    answered = data(wire, run)
    values = [one["value"] for one in answered.get("params", []) + answered["tags"] if one["key"] == "long"]
    assert values == ["ü" * kept]


@pytest.mark.parametrize("call", ["log-parameter", "set-tag"])
def test_a_key_over_250_characters_is_refused(wire, run, call):
    wire.ok(wire.post(f"runs/{call}", {"run_id": run, "key": "k" * 250, "value": "v"}))
    answer = wire.post(f"runs/{call}", {"run_id": run, "key": "k" * 251, "value": "v"})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "exceeds the maximum length of 250 characters" in answer.json["message"]


@pytest.mark.parametrize("key", ["/absolute", "../up", "a/../b", "a//b", "a\tb", "a*b", "."])
def test_a_key_that_is_no_normal_path_is_refused(wire, run, key):
    assert log(wire, run, key, 1, 1).error == (400, "INVALID_PARAMETER_VALUE")


def test_empty_values_are_allowed(wire, run):
    wire.ok(wire.post("runs/log-parameter", {"run_id": run, "key": "empty", "value": ""}))
    wire.ok(wire.post("runs/set-tag", {"run_id": run, "key": "empty", "value": ""}))
    assert {"key": "empty", "value": ""} in data(wire, run)["params"]


def test_duplicate_params_in_one_batch_are_refused(wire, run):
    batch = {"run_id": run, "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}
    answer = wire.post("runs/log-batch", batch)
    assert answer.status == 400
    assert "Duplicate parameter keys have been submitted" in answer.json["message"]


@pytest.mark.parametrize("asked", [0, -1, 50001])
def test_a_run_search_checks_how_much_is_asked_for(wire, own_experiment, asked):
    answer = wire.post("runs/search", {"experiment_ids": [own_experiment], "max_results": asked})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")


def test_an_experiment_search_needs_max_results(wire):
    assert wire.post("experiments/search", {}).error == (400, "INVALID_PARAMETER_VALUE")


def test_a_name_of_500_characters_is_the_longest(wire, unique):
    name = (unique("long") + "x" * 500)[:500]
    wire.ok(wire.post("experiments/create", {"name": name}))
    assert wire.post("experiments/create", {"name": name + "y"}).error == (400, "INVALID_PARAMETER_VALUE")


# Paging


def test_the_last_page_of_runs_has_no_token(wire, own_experiment):
    for _ in range(3):
        wire.ok(wire.post("runs/create", {"experiment_id": own_experiment}))
    search = {"experiment_ids": [own_experiment], "max_results": 2}
    first = wire.ok(wire.post("runs/search", search))
    last = wire.ok(wire.post("runs/search", search | {"page_token": first["next_page_token"]}))
    assert (len(first["runs"]), len(last["runs"])) == (2, 1)
    assert "next_page_token" not in last


@pytest.mark.parametrize("token", ["!!!", "bm90IGpzb24", "eyJvZmZzZXQiOiAieCJ9"])
def test_a_token_that_the_server_did_not_make_is_refused(wire, own_experiment, token):
    answer = wire.post("runs/search", {"experiment_ids": [own_experiment], "page_token": token})
    assert answer.status == 400


def test_a_history_comes_in_pages(wire, run):
    for step in range(5):
        wire.ok(log(wire, run, "loss", step, 1000 + step, step))
    first = points(wire, run, "loss", max_results=3)
    last = points(wire, run, "loss", max_results=3, page_token=first["next_page_token"])
    assert [one["step"] for one in first["metrics"] + last["metrics"]] == [0, 1, 2, 3, 4]
    assert "next_page_token" not in last


def test_histories_of_several_runs_come_at_once(wire, own_experiment):
    runs = [wire.ok(wire.post("runs/create", {"experiment_id": own_experiment}))["run"]["info"]["run_id"] for _ in "ab"]
    for run in runs:
        wire.ok(log(wire, run, "loss", 0.5, 1, 3))
    target = "/ajax-api/2.0/mlflow/metrics/get-history-bulk?" + "&".join(f"run_id={run}" for run in runs)
    answered = wire.ok(wire.send("GET", f"{target}&metric_key=loss"))["metrics"]
    assert sorted(one["run_id"] for one in answered) == sorted(runs)


def test_an_interval_is_sampled_with_its_first_and_last_point(wire, run):
    batch = [{"key": "loss", "value": n, "timestamp": 1000 + n, "step": n} for n in range(1000)]
    wire.ok(wire.post("runs/log-batch", {"run_id": run, "metrics": batch}))
    query = {"run_ids": run, "metric_key": "loss", "max_results": 10}
    steps = [one["step"] for one in wire.ok(wire.get("metrics/get-history-bulk-interval", **query))["metrics"]]
    assert (steps[0], steps[-1]) == (0, 999)
    assert len(steps) <= 12
    assert steps == sorted(set(steps))


# Lifecycle


def test_deleting_and_restoring_a_run_twice_is_fine(wire, run):
    for call in ["runs/delete", "runs/delete", "runs/restore", "runs/restore"]:
        assert wire.ok(wire.post(call, {"run_id": run})) == {}


def test_a_run_name_that_contradicts_its_tag_is_refused(wire, own_experiment):
    body = {"experiment_id": own_experiment, "run_name": "one", "tags": [{"key": "mlflow.runName", "value": "two"}]}
    assert wire.post("runs/create", body).error == (400, "INVALID_PARAMETER_VALUE")


# Artifacts


def put(wire, own_run, path, content):
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert wire.send("PUT", artifact(f"{root}/{path}"), content).status == 200
    return artifact(f"{root}/{path}")


def test_a_download_is_an_attachment_with_etag_and_ranges(wire, own_run):
    target = put(wire, own_run, "note.txt", b"0123456789")
    whole = wire.send("GET", target)
    assert (whole.status, whole.body) == (200, b"0123456789")
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["ETag"]
    part = wire.send("GET", target, headers={"Range": "bytes=2-4"})
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")


@pytest.mark.modelry_only("MLflow's server does not honour If-None-Match")
def test_a_file_that_has_not_changed_is_not_sent_again(wire, own_run):
    target = put(wire, own_run, "note.txt", b"0123456789")
    etag = wire.send("GET", target).headers["ETag"]
    again = wire.send("GET", target, headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.modelry_only("MLflow's server does not check digests")
def test_an_upload_that_does_not_match_its_digest_is_refused_and_not_listed(wire, own_run):
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    wrong = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    answer = wire.send("PUT", artifact(f"{root}/bad.bin"), b"not empty", {"Content-Digest": wrong})
    assert answer.status == 400
    assert wire.send("GET", artifact(f"{root}/bad.bin")).status == 404


def test_artifacts_list_gives_the_root_and_paths_below_the_run(wire, own_run):
    put(wire, own_run, "plots/loss.txt", b"x")
    listed = wire.ok(wire.get("artifacts/list", run_id=own_run["run_id"], path="plots"))
    assert listed["root_uri"] == own_run["artifact_uri"]
    assert listed["files"] == [{"path": "plots/loss.txt", "is_dir": False, "file_size": 1}]


def test_a_deleted_file_is_gone_and_deleting_it_again_is_fine(wire, own_run):
    target = put(wire, own_run, "note.txt", b"x")
    for _ in range(2):
        assert wire.send("DELETE", target).status == 200
    assert wire.send("GET", target).error == (404, "RESOURCE_DOES_NOT_EXIST")


def test_the_pages_form_of_a_download_and_an_upload_work(wire, own_run):
    run = own_run["run_id"]
    upload = wire.send("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a/b.txt", b"hello")
    assert upload.status == 200
    assert wire.send("GET", f"/get-artifact?run_id={run}&path=a/b.txt").body == b"hello"


def test_an_upload_in_chunks_is_whole(wire, own_run):
    root = own_run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    chunks = (bytes([n]) * 1000 for n in range(50))
    assert wire.send("PUT", artifact(f"{root}/chunked.bin"), chunks).status == 200
    assert len(wire.send("GET", artifact(f"{root}/chunked.bin")).body) == 50_000
