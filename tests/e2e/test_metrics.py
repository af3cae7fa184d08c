"""Metrics: what is logged, the history, and the latest value."""

import math
import time

import mlflow
import pytest
from mlflow.entities import Metric

pytestmark = pytest.mark.client


def history(client, run, key):
    """The points of one metric as (timestamp, step, value)."""
    return [(point.timestamp, point.step, point.value) for point in client.get_metric_history(run, key)]


@pytest.mark.covers("mlflow.log_metric", "mlflow.log_metrics")
def test_metrics_are_logged_with_their_steps(client, experiment):
    with mlflow.start_run() as active:
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
            mlflow.log_metrics({"accuracy": step / 10, "recall": step / 20}, step=step)
    run = active.info.run_id
    assert [(step, value) for _, step, value in history(client, run, "loss")] == [(s, 1 / (s + 1)) for s in range(5)]
    assert client.get_run(run).data.metrics == {"loss": 0.2, "accuracy": 0.4, "recall": 0.2}


@pytest.mark.covers("MlflowClient.log_metric", "MlflowClient.get_metric_history")
def test_a_history_is_ordered_by_time_then_step_then_value(client, run):
    logged = [(3000, 1, 5.0), (1000, 9, 2.0), (2000, 4, 7.0), (2000, 4, 6.0), (2000, 3, 8.0)]
    for timestamp, step, value in logged:
        client.log_metric(run, "loss", value, timestamp=timestamp, step=step)
    assert history(client, run, "loss") == sorted(logged)


def test_the_latest_value_is_that_of_the_greatest_step(client, run):
    client.log_metric(run, "loss", 1.0, timestamp=9000, step=1)
    client.log_metric(run, "loss", 2.0, timestamp=1000, step=7)
    client.log_metric(run, "loss", 3.0, timestamp=5000, step=2)
    assert client.get_run(run).data.metrics == {"loss": 2.0}


def test_the_same_point_twice_is_one_point(client, run):
    for _ in range(2):
        client.log_metric(run, "loss", 1.0, timestamp=1000, step=1)
    assert history(client, run, "loss") == [(1000, 1, 1.0)]


def test_nan_and_infinities_survive(client, run):
    client.log_metric(run, "nan", math.nan, step=0)
    client.log_metric(run, "up", math.inf, step=0)
    client.log_metric(run, "down", -math.inf, step=0)
    metrics = client.get_run(run).data.metrics
    assert math.isnan(metrics["nan"])
    assert (metrics["up"], metrics["down"]) == (1.7976931348623157e308, -1.7976931348623157e308)
    assert math.isnan(history(client, run, "nan")[0][2])


def test_negative_steps_and_extreme_values_survive(client, run):
    points = [(0, -5, 0.0), (1, -(2**63), 5e-324), (2, 2**63 - 1, -1.5)]
    for timestamp, step, value in points:
        client.log_metric(run, "edge", value, timestamp=timestamp, step=step)
    assert history(client, run, "edge") == points


def test_a_history_of_more_than_one_page_is_complete(client, run):
    steps = range(27_000)
    now = int(time.time() * 1000)
    for first in range(0, len(steps), 1000):
        client.log_batch(run, [Metric("loss", step / 2, now + step, step) for step in steps[first : first + 1000]])
    assert history(client, run, "loss") == [(now + step, step, step / 2) for step in steps]


def test_an_unknown_metric_has_an_empty_history(client, run):
    assert client.get_metric_history(run, "never logged") == []


def test_keys_may_have_spaces_slashes_and_letters_of_any_language(client, run):
    for key in ["val/loss", "a b", "größe", "損失", "top-1.acc_2"]:
        client.log_metric(run, key, 1.0)
        assert len(client.get_metric_history(run, key)) == 1


def test_metrics_of_another_run_are_not_mixed_in(client, experiment, run):
    other = client.create_run(experiment).info.run_id
    client.log_metric(run, "loss", 1.0, timestamp=1, step=1)
    client.log_metric(other, "loss", 2.0, timestamp=1, step=1)
    assert history(client, run, "loss") == [(1, 1, 1.0)]
