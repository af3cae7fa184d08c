"""Records which client methods were shown to work, for the table in docs/guide/mlflow.md."""

import inspect
import json
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient


class CompatRecorder:
    """A pytest plugin: outcome of every test that says what it covers, written as JSON at the end."""

    def __init__(self, report):
        self.report = Path(report)
        self.methods = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = (yield).get_result()
        if outcome.when == "call" and not outcome.skipped:
            self.note(item, "covers", outcome.passed)
            self.note(item, "not_offered", outcome.passed)

    def note(self, item, marker, passed):
        for mark in item.iter_markers(marker):
            for method in mark.args:
                kept = self.methods.setdefault(method, {"covers": None, "not_offered": None})
                kept[marker] = passed and kept[marker] is not False

    def pytest_sessionfinish(self):
        offered = public_methods()
        unknown = sorted(name for name in self.methods if not exists(name))
        assert not unknown, f"no such method in MLflow {mlflow.__version__}: {unknown}"
        self.report.parent.mkdir(parents=True, exist_ok=True)
        record = {"client": mlflow.__version__, "public": offered, "shown": dict(sorted(self.methods.items()))}
        self.report.write_text(json.dumps(record, indent=1) + "\n")


def public_methods():
    """The names that a user of this client can call: of `MlflowClient`, `mlflow` and `mlflow.artifacts`."""
    client = [f"MlflowClient.{name}" for name, _ in inspect.getmembers(MlflowClient, inspect.isfunction)]
    fluent = [f"mlflow.{name}" for name in mlflow.__all__ if inspect.isfunction(getattr(mlflow, name, None))]
    artifacts = [
        f"mlflow.artifacts.{name}"
        for name, function in inspect.getmembers(mlflow.artifacts, inspect.isfunction)
        if function.__module__ == "mlflow.artifacts"
    ]
    return sorted(name for name in client + fluent + artifacts if "._" not in name)


def exists(name):
    """Whether this client has the method at all: a test may cover one that only the other client has."""
    owner = MlflowClient if name.startswith("MlflowClient.") else mlflow
    for part in name.split(".")[1:]:
        owner = getattr(owner, part, None)
    return owner is not None
