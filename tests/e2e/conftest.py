"""Fixtures that every end-to-end test shares: a running server, clients of it, and a place of one's own in it.

`E2E_REFERENCE=1` runs the same client tests against a real MLflow server. What passes there asks for what MLflow
does; tests of what Modelry does differently on purpose carry `modelry_only` and are skipped there.
"""

import os
import uuid

# Before MLflow is imported: no traffic but ours, and a failing call fails at once and not after seven retries.
os.environ |= {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    # What `log_model` writes into requirements.txt is the client's own affair, and takes it half a minute to find out.
    "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1",
    "MPLBACKEND": "Agg",
}

import mlflow
import pytest
from mlflow import MlflowClient
from support.compat import CompatRecorder
from support.server import Modelry, Reference
from support.wire import Wire

pytest_plugins = ["support.browser", "support.disk"]

REFERENCE = os.environ.get("E2E_REFERENCE") == "1"
CLIENT_MAJOR = int(mlflow.__version__.split(".")[0])


def pytest_addoption(parser):
    parser.addoption("--compat-report", help="write which client methods were shown to work to this file")


def pytest_configure(config):
    report = config.getoption("--compat-report")
    if report:
        config.pluginmanager.register(CompatRecorder(report))


def pytest_report_header():
    against = "a real MLflow server" if REFERENCE else "Modelry"
    return f"MLflow client {mlflow.__version__} against {against}"


def pytest_collection_modifyitems(items):
    for item in items:
        for name, applies in [("modelry_only", REFERENCE), ("mlflow3", CLIENT_MAJOR < 3), ("mlflow2", CLIENT_MAJOR > 2)]:
            mark = item.get_closest_marker(name)
            if mark and applies:
                item.add_marker(pytest.mark.skip(reason=" ".join([name, *mark.args])))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that do not need it to themselves."""
    folder = tmp_path_factory.mktemp("server")
    with Reference(folder) if REFERENCE else Modelry(folder) as running:
        yield running


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """Makes Modelry processes that a test has to itself; whatever still runs at the end is stopped."""
    made = []

    def make(**options):
        made.append(Modelry(tmp_path_factory.mktemp("fresh"), **options))
        return made[-1]

    yield make
    for one in made:
        if one.process:
            one.stop()


@pytest.fixture(scope="session")
def wire(server):
    """Raw requests to the tracking API as root."""
    return Wire(server.tracking_uri, server.token)


@pytest.fixture
def tracking(server, monkeypatch):
    """The fluent API (`mlflow.log_param` ...) speaks to the server, and leaves nothing behind."""
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    if server.token:
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", server.token)
    mlflow.set_tracking_uri(server.tracking_uri)
    yield server
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.sklearn.autolog(disable=True)


@pytest.fixture
def client(tracking):
    """A client of the server."""
    return MlflowClient(tracking.tracking_uri)


@pytest.fixture
def experiment(client, unique):
    """The id of an experiment of the test's own, which is also the active one."""
    return mlflow.set_experiment(unique("experiment")).experiment_id


@pytest.fixture
def run(client, experiment):
    """The id of a run of the test's own."""
    return client.create_run(experiment).info.run_id


@pytest.fixture(scope="session")
def unique():
    """Makes names that nobody else uses."""
    return lambda word: f"{word} {uuid.uuid4().hex[:8]}"


@pytest.fixture
def own_experiment(wire, unique):
    """The id of an experiment of the test's own, made without a client."""
    return wire.ok(wire.post("experiments/create", {"name": unique("experiment")}))["experiment_id"]


@pytest.fixture
def own_run(wire, own_experiment):
    """A run of the test's own, made without a client: what `runs/create` answered as `info`."""
    return wire.ok(wire.post("runs/create", {"experiment_id": own_experiment}))["run"]["info"]
