"""Tracks one small training with a stock MLflow client, and reads back what was tracked.

Say where with MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN: `modelry serve` prints both on its first start.
Works with MLflow 2.22 and 3.x; needs scikit-learn and pandas.
"""

import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

EXPERIMENT = "My first experiment"

client = MlflowClient()

# An experiment collects candidates that one wants to compare.
existing = client.get_experiment_by_name(EXPERIMENT)
experiment_id = existing.experiment_id if existing else client.create_experiment(EXPERIMENT)
mlflow.set_experiment(EXPERIMENT)
print(f"experiment: {EXPERIMENT}")

# A real data set: how diabetes progressed in 442 patients within a year.
frame = load_diabetes(as_frame=True).frame
features, target = frame.drop(columns="target"), frame["target"]
train, test, train_target, test_target = train_test_split(features, target, random_state=7)

# One candidate, logged by hand: params, metrics with steps, metadata, a dataset, files and a model.
with mlflow.start_run(run_name="ridge by hand") as by_hand:
    mlflow.log_param("model", "ridge")
    mlflow.log_params({"solver": "auto", "rows": len(train)})
    mlflow.set_tags({"team": "research", "purpose": "first try"})
    mlflow.log_input(mlflow.data.from_pandas(frame, name="diabetes", targets="target"), context="training")
    for step, alpha in enumerate([10.0, 3.0, 1.0, 0.3, 0.1]):
        model = Ridge(alpha=alpha).fit(train, train_target)
        error = mean_absolute_error(test_target, model.predict(test))
        mlflow.log_metric("alpha", alpha, step=step)
        mlflow.log_metrics({"error": error, "score": model.score(test, test_target)}, step=step)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "summary.md").write_text(f"# Ridge\n\nThe last error was {error:.2f}.\n")
        test.head().to_csv(Path(folder, "sample.csv"), index=False)
        mlflow.log_artifacts(folder, artifact_path="report")
    logged = mlflow.sklearn.log_model(model, "model", input_example=test.head(2))
run_id = by_hand.info.run_id

# Another candidate, logged by scikit-learn's fit alone.
mlflow.sklearn.autolog(silent=True)
with mlflow.start_run(run_name="ridge by autolog") as by_autolog:
    Ridge(alpha=2.0).fit(train, train_target)
mlflow.sklearn.autolog(disable=True)

# Read it all back.
read = client.get_run(run_id)
print(f"candidate: {read.info.run_name}, {read.info.status}")
print(f"params: {dict(sorted(read.data.params.items()))}")
print(f"metrics: {sorted(read.data.metrics)}")
print(f"metadata: team={read.data.tags['team']}, purpose={read.data.tags['purpose']}")
print(f"dataset: {read.inputs.dataset_inputs[0].dataset.name}")
print(f"history of alpha: {[point.value for point in client.get_metric_history(run_id, 'alpha')]}")

report = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/report")
print(f"artifacts: {sorted(path.name for path in Path(report).iterdir())}")
print(f"summary: {Path(report, 'summary.md').read_text().splitlines()[-1]}")

loaded = mlflow.sklearn.load_model(f"runs:/{run_id}/model")
print(f"model of the candidate predicts the same: {bool((loaded.predict(test) == model.predict(test)).all())}")
if model_id := getattr(logged, "model_id", None):
    loaded = mlflow.sklearn.load_model(f"models:/{model_id}")
    print(f"logged model predicts the same: {bool((loaded.predict(test) == model.predict(test)).all())}")

automatic = client.get_run(by_autolog.info.run_id)
print(f"autolog: alpha={automatic.data.params['alpha']}, {len(automatic.data.metrics)} metrics")

# Search: this is a filter and an order, the server does the work.
found = mlflow.search_runs(
    [experiment_id],
    filter_string="params.model = 'ridge' AND metrics.error < 100 AND tags.team = 'research'",
    order_by=["metrics.error ASC"],
    max_results=1,
)
print(f"best found by search: {found.loc[0, 'tags.mlflow.runName']}")

# Deleting hides a candidate until it is restored.
client.delete_run(run_id)
hidden = run_id not in [run.info.run_id for run in client.search_runs([experiment_id])]
client.restore_run(run_id)
back = run_id in [run.info.run_id for run in client.search_runs([experiment_id])]
print(f"deleted: {hidden}, restored: {back}")
