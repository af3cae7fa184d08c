"""No answer sends a client to another host: its token would go there with it."""

import http.server
import threading

import mlflow
import pytest
from mlflow.exceptions import MlflowException

pytestmark = [pytest.mark.client, pytest.mark.modelry_only("MLflow's server lets an experiment name another host")]


@pytest.fixture
def listener():
    """Another host: it answers everything, and keeps what it was asked and with which credentials."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            seen.append((self.command, self.path, self.headers.get("Authorization")))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_PUT = do_POST = do_HEAD = answer

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"127.0.0.1:{running.server_port}", seen
        running.shutdown()
        thread.join()


FORMS = [
    "http://{host}/x",
    "https://{host}/x",
    "HTTP://{host}/x",
    "mlflow-artifacts://{host}/x",
    "mlflow-artifacts://token@{host}/x",
    "//{host}/x",
    "ftp://{host}/x",
    "dbfs://{host}/x",
]


@pytest.mark.parametrize("form", FORMS)
def test_an_experiment_on_another_host_is_refused_and_the_host_sees_no_request(client, listener, tmp_path, unique, form):
    host, seen = listener
    name = unique("elsewhere")
    with pytest.raises(MlflowException) as refused:
        client.create_experiment(name, artifact_location=form.format(host=host))
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    (tmp_path / "model.bin").write_bytes(b"secret")
    mlflow.set_experiment(name)
    with mlflow.start_run() as active:
        mlflow.log_artifact(tmp_path / "model.bin")
    assert [one.path for one in client.list_artifacts(active.info.run_id)] == ["model.bin"]
    assert seen == []


@pytest.mark.parametrize("form", FORMS)
def test_loading_a_version_whose_files_are_on_another_host_sends_nobody_there(client, listener, unique, form):
    host, seen = listener
    name = unique("elsewhere")
    client.create_registered_model(name)
    try:
        client.create_model_version(name, source=form.format(host=host))
    except MlflowException as refused:
        assert refused.error_code == "INVALID_PARAMETER_VALUE"
    else:
        for address in [f"models:/{name}/1", f"models:/{name}/latest", f"models:/{name}@v1.0.0"]:
            # Of dbfs, an address in the cloud, the client itself says that it names no host.
            with pytest.raises(MlflowException, match="outside this server|DBFS URI must be"):
                mlflow.pyfunc.load_model(address)
    assert seen == []


@pytest.mark.parametrize("location", ["file:///etc", "/etc", "../up", "mlflow-artifacts:/../../etc", "runs:/abc/x"])
def test_an_experiment_on_the_servers_own_disk_is_refused(client, unique, location):
    with pytest.raises(MlflowException) as refused:
        client.create_experiment(unique("local"), artifact_location=location)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_artifact_addresses_carry_no_host(client, experiment, run):
    for address in [client.get_experiment(experiment).artifact_location, client.get_run(run).info.artifact_uri]:
        assert address.startswith("mlflow-artifacts:/")
        assert not address.startswith("mlflow-artifacts://")
