"""Registers two models as versions of one, moves an alias, and loads them by everything that selects a version.

Say where with MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN: `modelry serve` prints both on its first start.
Works with MLflow 2.22 and 3.x; needs scikit-learn. Every time it runs, it makes a model of another name.
"""

import time

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, Ridge

MODEL = f"diabetes-{time.time_ns()}"

client = MlflowClient()
mlflow.set_experiment("Registry example")
features, target = load_diabetes(return_X_y=True)


def log(model, bump=None):
    """Logs a trained model in a run of its own, and answers its address."""
    with mlflow.start_run():
        if bump:
            # Which part of the version rises; without it, the patch.
            mlflow.set_tag("modelry.bump", bump)
        named = {"name": "model"} if mlflow.__version__ >= "3" else {"artifact_path": "model"}
        return mlflow.sklearn.log_model(model.fit(features, target), **named).model_uri


# The first version is 1.0.0. The same again is a patch, another kind of model is said to be a minor step.
for model, bump in [(Ridge(alpha=1.0), None), (Ridge(alpha=0.5), None), (Lasso(alpha=0.5), "minor")]:
    version = mlflow.register_model(log(model, bump), MODEL)
    print(f"registered: number {version.version} is version {version.status_message}")

client.set_registered_model_alias(MODEL, "champion", "1")
client.transition_model_version_stage(MODEL, "2", "Production")

for selector in ["/^1", "/~1.0", "/>=1.0,<1.1", "/1.0.0", "/latest", "/3", "@champion", "@v1.1.0", "/Production"]:
    loaded = mlflow.sklearn.load_model(f"models:/{MODEL}{selector}")
    print(f"models:/...{selector} is {loaded}")

# The alias moves; whoever loads @champion gets the new one from now on.
client.set_registered_model_alias(MODEL, "champion", "3")
print("champion:", client.get_model_version_by_alias(MODEL, "champion").status_message)

# GitLab's way: the version first, with the number that one wants; then what it is made of, logged to its run.
draft = client.create_model_version(MODEL, "2.0.0", tags={"gitlab.version": "2.0.0"})
client.log_metric(draft.run_id, "r2", 0.52)
client.log_param(draft.run_id, "alpha", 0.1)
client.log_text(draft.run_id, "weights", "model/weights.txt")
print("while it is a draft, * is", client.get_latest_versions(MODEL, ["*"])[0].status_message)
client.set_terminated(draft.run_id)
print("once it is published, * is", client.get_latest_versions(MODEL, ["*"])[0].status_message)
