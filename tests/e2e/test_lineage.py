"""Lineage: what a version comes from and who fetched it, as the native API tells it."""

import urllib.parse

import mlflow
import numpy
import pandas
import pytest
from sklearn.linear_model import LinearRegression
from support.native import Native

THREE = int(mlflow.__version__.split(".")[0]) > 2
COMMIT = "73c8cf5a0d6f2b1e4c3d9a8b7f6e5d4c3b2a1908"


def lineage(server, node, direction, **options):
    """The lineage of a node in project 1."""
    query = urllib.parse.urlencode({"node": node, "direction": direction} | options)
    return Native(server.url, server.token).call("GET", f"/projects/1/lineage?{query}")


def edges(answer):
    return [(edge["upstream"], edge["relation"], edge["downstream"]) for edge in answer["edges"]]


def train(frame, name, file):
    """Trains a model on the data of a file and registers it; answers the run and the version."""
    dataset = mlflow.data.from_pandas(frame, source=file, name="customers", targets="churned")
    model = LinearRegression().fit(frame[["age"]], frame["churned"])
    where = {"name": "model"} if THREE else {"artifact_path": "model"}
    with mlflow.start_run() as active:
        mlflow.set_tag("mlflow.source.git.commit", COMMIT)
        mlflow.log_input(dataset, context="training")
        info = mlflow.sklearn.log_model(model, **where)
    return active.info.run_id, info, mlflow.register_model(info.model_uri, name)


@pytest.fixture
def frame():
    return pandas.DataFrame({"age": [31.0, 42.0, 53.0], "churned": [0.0, 1.0, 0.0]})


@pytest.mark.client
@pytest.mark.modelry_only
def test_lineage_goes_from_a_pandas_dataset_to_a_pull_and_back(client, experiment, server, unique, frame, monkeypatch):
    name, file = unique("churn"), f"{unique('customers')}.csv"
    run, info, registered = train(frame, name, file)
    puller = Native(server.url, server.token).create_token(unique("deploy"), ["read_api"])
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", puller["token"])
        loaded = mlflow.pyfunc.load_model(f"models:/{name}/^1")
    assert loaded.predict(numpy.array([[31.0]])).shape == (1,)

    up = lineage(server, f"version:{name}/{registered.version}", "up", depth=10)
    nodes = {node["kind"]: node for node in up["nodes"]}
    version, candidate, dataset = (nodes[kind]["id"] for kind in ["version", "candidate", "dataset"])
    assert nodes["candidate"]["eid"] == run
    assert nodes["dataset"]["name"] == "customers"
    assert nodes["version"]["label"] == f"{name} 1.0.0 (#1)"

    source, token = f"source:{file}", f"token:{puller['id']}"
    made = [(candidate, "registered_as", version)]
    through_model = []
    if THREE:
        model = f"logged_model:{info.model_id}"
        made.insert(0, (candidate, "produced", model))
        through_model = [(model, "registered_as", version)]
    started = [(source, "used", dataset), (dataset, "used", candidate)]
    pulled = (version, "pulled_by", token)

    down = lineage(server, source, "down", depth=10)
    assert edges(down)[: len(started + made + through_model)] == started + made + through_model
    [pull] = [edge for edge in down["edges"] if edge["downstream"] == token]
    assert pull["pull"]["door"] == "mlflow"
    assert pull["pull"]["files"] >= 2

    back = edges(lineage(server, token, "up", depth=10))
    assert set(back) == {*started, *made, *through_model, pulled, (f"commit:{COMMIT}", "used", candidate)}
    assert back[0] == pulled
    for upstream, relation, downstream in [*started, *made, *through_model, pulled]:
        edge = (upstream, relation, downstream)
        assert edge in edges(lineage(server, upstream, "down", depth=1))
        assert edge in edges(lineage(server, downstream, "up", depth=1))


@pytest.mark.client
@pytest.mark.modelry_only
def test_a_copy_and_a_nested_run_are_in_the_lineage(client, experiment, server, unique, frame):
    name = unique("churn")
    with mlflow.start_run() as parent:
        with mlflow.start_run(nested=True) as child:
            pass
    nested = lineage(server, f"candidate:{parent.info.run_id}", "down")
    assert [node["eid"] for node in nested["nodes"]] == [parent.info.run_id, child.info.run_id]
    assert nested["edges"][0]["relation"] == "child_of"
    train(frame, name, "customers.csv")
    client.copy_model_version(f"models:/{name}/1", f"{name} copy")
    copied = lineage(server, f"version:{name}/1", "down")
    assert [node["label"] for node in copied["nodes"]] == [f"{name} 1.0.0 (#1)", f"{name} copy 1.0.0 (#1)"]
    assert [edge["relation"] for edge in copied["edges"]] == ["copy_of"]


def test_pulls_of_the_last_moment_are_written_down_when_the_server_stops(fresh):
    server = fresh().start()
    native = Native(server.url, server.token)
    native.call("POST", "/projects/1/models", {"name": "churn"})
    draft = native.call("POST", "/projects/1/models/churn/versions", {})
    file = "/projects/1/models/churn/versions/1.0.0/files/weights.txt"
    assert native.wire.send("PUT", file, "weights", {}).status == 201
    native.call("PATCH", "/projects/1/models/churn/versions/1.0.0", {"state": "published"})
    assert native.wire.send("GET", file, None, {}).text == "weights"
    server.stop()
    server.start()
    [pull] = lineage(server, f"version:{draft['id']}", "down")["edges"]
    assert (pull["pull"]["door"], pull["pull"]["files"]) == ("api", 1)
