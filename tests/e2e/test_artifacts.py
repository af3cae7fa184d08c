"""Files of a run: logged, listed, downloaded and loaded by the stock client."""

import hashlib
import io
import random
from pathlib import Path

import mlflow
import pandas
import pytest
import requests
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.client

# The last but one is what `log_image(key=..., step=...)` of a 2.22 client calls its files.
ODD_NAMES = ["with space.txt", "100%.txt", "größe.txt", "損失.txt", "a+b.txt", "q=1&x.txt", "step%3%at%1795309018923.png", "semi;colon.txt"]


@pytest.fixture
def tree(tmp_path):
    """A directory with files at three levels, one of them empty."""
    files = {"readme.txt": "top", "empty.bin": "", "plots/loss.csv": "step,loss\n1,0.5\n", "plots/deep/note.md": "# deep"}
    for name, content in files.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "tree"


def contents(folder):
    """Relative path to bytes of every file below `folder`."""
    folder = Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.covers("mlflow.log_artifact", "mlflow.log_artifacts", "mlflow.artifacts.download_artifacts")
def test_a_directory_comes_back_byte_for_byte(experiment, tree, tmp_path):
    with mlflow.start_run() as active:
        mlflow.log_artifacts(tree, artifact_path="report")
        mlflow.log_artifact(tree / "readme.txt")
    run = active.info.run_id
    fetched = mlflow.artifacts.download_artifacts(f"runs:/{run}/report", dst_path=tmp_path / "fetched")
    assert contents(fetched) == contents(tree)
    alone = mlflow.artifacts.download_artifacts(run_id=run, artifact_path="readme.txt")
    assert Path(alone).read_text() == "top"


@pytest.mark.covers("MlflowClient.log_artifact", "MlflowClient.log_artifacts", "MlflowClient.list_artifacts")
def test_a_listing_shows_one_level_with_sizes(client, run, tree):
    client.log_artifacts(run, tree)
    client.log_artifact(run, tree / "readme.txt", "copies")
    listed = {one.path: (one.is_dir, one.file_size) for one in client.list_artifacts(run)}
    assert listed.keys() == {"readme.txt", "empty.bin", "plots", "copies"}
    assert (listed["readme.txt"], listed["plots"][0]) == ((False, 3), True)
    assert sorted(one.path for one in client.list_artifacts(run, "plots")) == ["plots/deep", "plots/loss.csv"]


@pytest.mark.covers("mlflow.artifacts.list_artifacts")
def test_nothing_is_listed_for_a_run_without_files_or_a_missing_folder(client, run):
    assert client.list_artifacts(run) == []
    assert mlflow.artifacts.list_artifacts(run_id=run, artifact_path="no/such") == []


@pytest.mark.covers("MlflowClient.download_artifacts")
def test_a_file_that_is_not_there_cannot_be_downloaded(client, run, tmp_path):
    with pytest.raises((MlflowException, OSError)):
        client.download_artifacts(run, "no/such.txt", str(tmp_path))


@pytest.mark.covers("mlflow.log_text", "mlflow.log_dict", "mlflow.artifacts.load_text", "mlflow.artifacts.load_dict")
def test_text_and_dictionaries_are_loaded_again(experiment):
    with mlflow.start_run() as active:
        mlflow.log_text("line one\nline two\n", "notes/a.txt")
        mlflow.log_dict({"layers": [1, 2], "name": "größe"}, "config.json")
        root = active.info.artifact_uri
    assert mlflow.artifacts.load_text(f"{root}/notes/a.txt") == "line one\nline two\n"
    assert mlflow.artifacts.load_dict(f"{root}/config.json") == {"layers": [1, 2], "name": "größe"}


@pytest.mark.covers("MlflowClient.log_text", "MlflowClient.log_dict", "mlflow.get_artifact_uri")
def test_a_file_logged_again_is_replaced(client, run):
    client.log_text(run, "first and longer", "note.txt")
    client.log_text(run, "second", "note.txt")
    client.log_dict(run, {"a": 1}, "config.json")
    with mlflow.start_run(run_id=run):
        uri = mlflow.get_artifact_uri("note.txt")
    assert mlflow.artifacts.load_text(uri) == "second"
    assert mlflow.artifacts.load_dict(uri.replace("note.txt", "config.json")) == {"a": 1}


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.log_stream", "MlflowClient.log_stream")
def test_a_stream_is_logged_as_a_file(client, run):
    client.log_stream(run, io.BytesIO(b"from the client"), "streams/a.bin")
    mlflow.log_stream(io.BytesIO(b"fluently"), "streams/b.bin", run_id=run)
    listed = {one.path: one.file_size for one in client.list_artifacts(run, "streams")}
    assert listed == {"streams/a.bin": 15, "streams/b.bin": 8}


@pytest.mark.covers("mlflow.log_figure", "mlflow.log_image", "mlflow.artifacts.load_image")
def test_figures_and_images_are_loaded_again(experiment):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    numpy = pytest.importorskip("numpy")
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3])
    with mlflow.start_run() as active:
        mlflow.log_figure(figure, "plots/line.png")
        mlflow.log_image(numpy.zeros((8, 16, 3), dtype=numpy.uint8), "black.png")
        mlflow.log_image(numpy.zeros((8, 16, 3), dtype=numpy.uint8), key="sample", step=3)
    root = active.info.artifact_uri
    assert mlflow.artifacts.load_image(f"{root}/black.png").size == (16, 8)
    assert mlflow.artifacts.load_image(f"{root}/plots/line.png").size == tuple(figure.canvas.get_width_height())
    images = [one.path for one in mlflow.artifacts.list_artifacts(run_id=active.info.run_id, artifact_path="images")]
    assert len(images) == 2


@pytest.mark.covers("MlflowClient.log_figure", "MlflowClient.log_image")
def test_the_client_logs_figures_and_images_to_a_run_that_is_not_active(client, run):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    numpy = pytest.importorskip("numpy")
    client.log_figure(run, pyplot.figure(), "figure.png")
    client.log_image(run, numpy.zeros((8, 16, 3), dtype=numpy.uint8), "image.png")
    assert sorted(one.path for one in client.list_artifacts(run)) == ["figure.png", "image.png"]


@pytest.mark.covers("mlflow.log_table", "mlflow.load_table")
def test_a_table_grows_and_is_loaded_again(experiment):
    with mlflow.start_run() as active:
        mlflow.log_table(pandas.DataFrame({"prompt": ["a"], "score": [1]}), "scores.json")
        mlflow.log_table({"prompt": ["b"], "score": [2]}, "scores.json")
    loaded = mlflow.load_table("scores.json", run_ids=[active.info.run_id])
    assert loaded.to_dict("list") == {"prompt": ["a", "b"], "score": [1, 2]}


@pytest.mark.covers("MlflowClient.log_table", "MlflowClient.load_table")
def test_tables_of_an_experiment_are_loaded_together(client, experiment):
    for score in (1, 2):
        client.log_table(client.create_run(experiment).info.run_id, {"score": [score]}, "scores.json")
    assert sorted(client.load_table(experiment, "scores.json")["score"]) == [1, 2]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_survive_the_way_there_and_back(client, run, tmp_path, name):
    source = tmp_path / name
    source.write_text(f"this is {name}")
    client.log_artifact(run, source, "odd folder")
    assert [one.path for one in client.list_artifacts(run, "odd folder")] == [f"odd folder/{name}"]
    fetched = mlflow.artifacts.download_artifacts(f"runs:/{run}/odd folder", dst_path=tmp_path / "fetched")
    assert contents(fetched) == {name: f"this is {name}".encode()}


def test_a_large_file_comes_back_byte_for_byte(client, run, tmp_path):
    source = tmp_path / "weights.bin"
    source.write_bytes(random.Random(7).randbytes(32 * 1024 * 1024))
    client.log_artifact(run, source)
    [listed] = client.list_artifacts(run)
    assert listed.file_size == 32 * 1024 * 1024
    fetched = mlflow.artifacts.download_artifacts(f"runs:/{run}/weights.bin", dst_path=tmp_path / "fetched")
    assert hashlib.sha256(Path(fetched).read_bytes()).digest() == hashlib.sha256(source.read_bytes()).digest()


def test_a_file_that_is_both_a_file_and_a_folder_is_refused(client, run):
    client.log_text(run, "a file", "thing")
    with pytest.raises((MlflowException, requests.HTTPError)):
        client.log_text(run, "below it", "thing/below.txt")
    assert [one.path for one in client.list_artifacts(run)] == ["thing"]


@pytest.mark.modelry_only("MLflow's server has no parts where its store is a directory")
def test_a_large_file_arrives_in_parts(client, run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(1 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 << 20))
    big = tmp_path / "big.bin"
    big.write_bytes(random.Random(7).randbytes((23 << 20) + 1))
    client.log_artifact(run, str(big), "weights")
    fetched = mlflow.artifacts.download_artifacts(run_id=run, artifact_path="weights/big.bin", dst_path=tmp_path / "out")
    assert hashlib.sha256(Path(fetched).read_bytes()).digest() == hashlib.sha256(big.read_bytes()).digest()
