"""What the server does not offer is refused at once and by name, so that clients fall back and users are told."""

import mlflow
import pytest
from mlflow.exceptions import MlflowException

pytestmark = [pytest.mark.client, pytest.mark.modelry_only("MLflow's own server offers these")]

ENDPOINT_NOT_FOUND = "ENDPOINT_NOT_FOUND"


def refused(call):
    with pytest.raises(MlflowException) as refusal:
        call()
    assert refusal.value.error_code == ENDPOINT_NOT_FOUND


def named(calls):
    """One case for each call, marked with the method that it shows to be refused."""
    for name, call in calls.items():
        yield pytest.param(call, marks=pytest.mark.not_offered(f"MlflowClient.{name}"), id=name)


NEWER = {
    "search_traces": lambda client: client.search_traces(locations=["0"]),
    "get_trace": lambda client: client.get_trace("tr-0123456789abcdef"),
    "create_webhook": lambda client: client.create_webhook("hook", "https://example.com", ["registered_model.created"]),
    "list_webhooks": lambda client: client.list_webhooks(),
    "create_dataset": lambda client: client.create_dataset("set", experiment_id=["0"]),
    "list_workspaces": lambda client: client.list_workspaces(),
    "search_mcp_servers": lambda client: client.search_mcp_servers(),
}


@pytest.mark.mlflow3
@pytest.mark.parametrize("call", named(NEWER))
def test_what_3_clients_bring_along_is_not_offered(client, call):
    refused(lambda: call(client))


def test_a_traced_function_still_runs(experiment):
    @mlflow.trace
    def double(number):
        return 2 * number

    assert double(21) == 42
    mlflow.flush_trace_async_logging()
