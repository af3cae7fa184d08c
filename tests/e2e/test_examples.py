"""The scripts in examples/ run as they are and say what they should."""

import json
import os
import re
import subprocess
import sys

import mlflow
import pytest
from support.server import REPOSITORY

pytestmark = pytest.mark.client
EXAMPLES = REPOSITORY / "examples"
SEED_URI = "http://127.0.0.1:8080/api/v4/projects/1/ml/mlflow"

TRACKED = """\
experiment: My first experiment
candidate: ridge by hand, FINISHED
params: {'model': 'ridge', 'rows': '331', 'solver': 'auto'}
metrics: ['alpha', 'error', 'score']
metadata: team=research, purpose=first try
dataset: diabetes
history of alpha: [10.0, 3.0, 1.0, 0.3, 0.1]
artifacts: ['sample.csv', 'summary.md']
summary: The last error was 41.71.
model of the candidate predicts the same: True
logged model predicts the same: True
autolog: alpha=2.0, 5 metrics
best found by search: ridge by hand
deleted: True, restored: True
"""

REGISTERED = """\
registered: number 1 is version 1.0.0
registered: number 2 is version 1.0.1
registered: number 3 is version 1.1.0
models:/.../^1 is Lasso(alpha=0.5)
models:/.../~1.0 is Ridge(alpha=0.5)
models:/.../>=1.0,<1.1 is Ridge(alpha=0.5)
models:/.../1.0.0 is Ridge()
models:/.../latest is Lasso(alpha=0.5)
models:/.../3 is Lasso(alpha=0.5)
models:/...@champion is Ridge()
models:/...@v1.1.0 is Lasso(alpha=0.5)
models:/.../Production is Ridge(alpha=0.5)
champion: 1.1.0
while it is a draft, * is 1.1.0
once it is published, * is 2.0.0
"""


def run(script, server):
    environment = os.environ | {"MLFLOW_TRACKING_URI": server.tracking_uri, "MLFLOW_TRACKING_TOKEN": server.token or ""}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    # A 2.x client cannot be kept from printing links to what it logged.
    return "".join(line for line in done.stdout.splitlines(keepends=True) if "View " not in line)


def test_the_tracking_script_prints_what_it_logged_and_read_back(server):
    expected = TRACKED
    if int(mlflow.__version__.split(".")[0]) < 3:
        expected = re.sub("logged model predicts.*\n", "", expected)
    assert run(EXAMPLES / "track.py", server) == expected


@pytest.mark.modelry_only
def test_the_registry_script_loads_by_every_selector(server):
    assert run(EXAMPLES / "registry.py", server) == REGISTERED


def test_the_first_script_makes_an_experiment(client, server, tmp_path):
    existing = client.get_experiment_by_name("My first experiment")
    if existing:
        client.rename_experiment(existing.experiment_id, f"older {existing.experiment_id}")
    script = (EXAMPLES / "first_experiment.py").read_text()
    assert SEED_URI in script
    (tmp_path / "first.py").write_text(script.replace(SEED_URI, server.tracking_uri))
    run(tmp_path / "first.py", server)
    assert client.get_experiment_by_name("My first experiment").lifecycle_stage == "active"


def test_every_cell_of_the_notebook_runs(client, server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.tracking_uri)
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text())
    assert notebook["nbformat"] == 4
    names = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102, this is what a notebook is
    assert sorted(names["runs"]["params.depth"]) == ["1", "2", "3"]
