"""`sklearn.autolog()` on a real data set."""

import mlflow
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, train_test_split

pytestmark = pytest.mark.client


@pytest.fixture
def autolog(experiment):
    mlflow.sklearn.autolog(log_datasets=True, silent=True)
    return experiment


def test_a_fit_logs_params_metrics_dataset_and_files(client, autolog):
    features, target = load_iris(return_X_y=True, as_frame=True)
    with mlflow.start_run() as active:
        LogisticRegression(max_iter=500).fit(features, target)
    logged = client.get_run(active.info.run_id)
    assert logged.data.params["max_iter"] == "500"
    assert logged.data.metrics["training_accuracy_score"] > 0.9
    assert logged.data.tags["estimator_name"] == "LogisticRegression"
    assert [one.dataset.source_type for one in logged.inputs.dataset_inputs] == ["code"]
    assert "training_confusion_matrix.png" in [one.path for one in client.list_artifacts(active.info.run_id)]


@pytest.mark.covers("mlflow.sklearn.autolog", "mlflow.sklearn.load_model")
def test_the_model_of_a_fit_predicts_as_the_fitted_one(autolog):
    features, target = load_diabetes(return_X_y=True)
    train, test, target_train, _ = train_test_split(features, target, random_state=7)
    with mlflow.start_run() as active:
        fitted = Ridge().fit(train, target_train)
    loaded = mlflow.sklearn.load_model(f"runs:/{active.info.run_id}/model")
    assert (loaded.predict(test) == fitted.predict(test)).all()


@pytest.mark.covers("mlflow.autolog")
def test_a_grid_search_makes_a_child_run_for_each_try(client, autolog):
    mlflow.autolog(silent=True)
    features, target = load_iris(return_X_y=True)
    with mlflow.start_run() as active:
        GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(features, target)
    children = client.search_runs([autolog], f"tags.`mlflow.parentRunId` = '{active.info.run_id}'")
    assert sorted(float(child.data.params["C"]) for child in children) == [0.1, 1.0, 10.0]
    assert client.get_run(active.info.run_id).data.params["best_C"] in {"0.1", "1.0", "10.0"}
