"""The model registry as stock clients use it: models, versions, stages, aliases, tags, searches, copies."""

import contextlib

import mlflow
import numpy
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LinearRegression
from support.wire import artifact

pytestmark = pytest.mark.client

FEATURES = numpy.array([[0.0], [1.0], [2.0]])
THREE = int(mlflow.__version__.split(".")[0]) > 2


def times(factor):
    """A model that multiplies by `factor`."""
    return LinearRegression().fit(FEATURES, [factor * x for [x] in FEATURES])


def factor_of(loaded):
    return round(float(loaded.predict(numpy.array([[1.0]]))[0]), 3)


def log_model(model, **options):
    """`log_model` of either client generation."""
    named = {"name": "model"} if THREE else {"artifact_path": "model"}
    return mlflow.sklearn.log_model(model, **named, **options)


@pytest.fixture
def name(unique):
    return unique("churn")


@pytest.fixture
def register(client, experiment, name):
    """Registers a run's text as the next version, and answers it."""

    def register():
        run = client.create_run(experiment).info.run_id
        client.log_text(run, "weights", "weights.txt")
        with contextlib.suppress(MlflowException):
            client.create_registered_model(name)
        return client.create_model_version(name, f"runs:/{run}/", run)

    return register


@pytest.fixture
def four(client, experiment, name):
    """Versions 1.0.0, 1.0.1, 1.1.0 and 2.0.0 of a text that says their sequence numbers."""
    client.create_registered_model(name)
    for number, bump in enumerate([None, None, "minor", "major"], 1):
        tags = {"modelry.bump": bump} if bump else {}
        run = client.create_run(experiment, tags=tags).info.run_id
        client.log_text(run, str(number), "files/number.txt")
        client.create_model_version(name, f"runs:/{run}/files", run)


@pytest.fixture(scope="module")
def loadable(server, unique):
    """As `four`, of models that multiply by their sequence numbers. Nobody changes them."""
    client, name = MlflowClient(server.tracking_uri), unique("loadable")
    mlflow.set_tracking_uri(server.tracking_uri)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", server.token)
        mlflow.set_experiment(unique("experiment"))
        for number, bump in enumerate([None, None, "minor", "major"], 1):
            with mlflow.start_run():
                if bump:
                    mlflow.set_tag("modelry.bump", bump)
                info = log_model(times(float(number)))
            mlflow.register_model(info.model_uri, name)
        client.set_registered_model_alias(name, "champion", "1")
        client.transition_model_version_stage(name, "2", "Production")
    return name


def number_in(uri):
    """The sequence number that the text of a version says."""
    return int(mlflow.artifacts.load_text(f"{uri}/number.txt"))


def semantic(version):
    return version.status_message


@pytest.mark.covers("MlflowClient.create_registered_model", "MlflowClient.get_registered_model")
def test_a_model_is_made_and_read_back(client, name):
    client.create_registered_model(name, tags={"team": "a"}, description="# Churn")
    model = client.get_registered_model(name)
    assert (model.name, model.description, dict(model.tags)) == (name, "# Churn", {"team": "a"})
    assert model.creation_timestamp > 1_600_000_000_000
    assert list(model.latest_versions) == []


def test_a_name_is_given_once(client, name):
    client.create_registered_model(name)
    with pytest.raises(MlflowException, match=r"Registered Model \(name=.*\) already exists") as error:
        client.create_registered_model(name)
    assert error.value.error_code == "RESOURCE_ALREADY_EXISTS"


@pytest.mark.modelry_only
def test_a_model_has_a_default_experiment_of_its_name(client, name):
    client.create_registered_model(name)
    experiment = client.get_experiment_by_name(name)
    with pytest.raises(MlflowException, match=f"belongs to the model {name}"):
        client.delete_experiment(experiment.experiment_id)
    client.rename_registered_model(name, name + " two")
    assert client.get_experiment(experiment.experiment_id).name == name + " two"
    client.delete_registered_model(name + " two")
    assert client.get_experiment(experiment.experiment_id).lifecycle_stage == "deleted"


@pytest.mark.modelry_only
def test_an_experiment_of_the_name_is_adopted_and_released(client, name):
    experiment = client.create_experiment(name)
    client.create_registered_model(name)
    client.delete_registered_model(name)
    assert client.get_experiment(experiment).lifecycle_stage == "active"


@pytest.mark.covers("MlflowClient.rename_registered_model", "MlflowClient.update_registered_model")
def test_a_model_is_renamed_and_described(client, register, name):
    register()
    client.set_registered_model_alias(name, "champion", "1")
    client.rename_registered_model(name, name + " two")
    client.update_registered_model(name + " two", "Better")
    model = client.get_registered_model(name + " two")
    assert (model.description, dict(model.aliases)) == ("Better", {"champion": "1"})
    with pytest.raises(MlflowException, match=f"Registered Model with name={name} not found"):
        client.get_registered_model(name)


@pytest.mark.covers("MlflowClient.delete_registered_model")
def test_a_deleted_model_is_gone_and_its_name_free(client, register, name):
    register()
    client.delete_registered_model(name)
    for call in [client.get_registered_model, client.delete_registered_model]:
        with pytest.raises(MlflowException, match="not found"):
            call(name)
    assert client.search_model_versions(f"name = '{name}'") == []
    client.create_registered_model(name)


@pytest.mark.covers("MlflowClient.set_registered_model_tag", "MlflowClient.delete_registered_model_tag")
def test_tags_of_a_model(client, name):
    client.create_registered_model(name)
    client.set_registered_model_tag(name, "a", "1")
    client.set_registered_model_tag(name, "a", "2")
    assert dict(client.get_registered_model(name).tags) == {"a": "2"}
    client.delete_registered_model_tag(name, "a")
    client.delete_registered_model_tag(name, "a")
    assert dict(client.get_registered_model(name).tags) == {}


def test_versions_count_up_and_carry_a_semantic_version(client, four, name):
    versions = sorted(client.search_model_versions(f"name = '{name}'"), key=lambda one: int(one.version))
    assert [one.version for one in versions] == ["1", "2", "3", "4"]
    assert {one.status for one in versions} == {"READY"}
    assert {one.current_stage for one in versions} == {"None"}
    assert [dict(one.tags) for one in versions] == [{}] * 4


@pytest.mark.modelry_only
def test_the_semantic_version_is_the_next_or_the_one_that_was_wished_for(client, four, name):
    versions = client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])
    assert [semantic(one) for one in versions] == ["1.0.0", "1.0.1", "1.1.0", "2.0.0"]


@pytest.mark.modelry_only
@pytest.mark.parametrize(
    ("selector", "factor"),
    [
        ("/^1", 3.0),
        ("/~1.0", 2.0),
        ("/>=1.0.1,<2", 3.0),
        ("/1.0.1", 2.0),
        ("/v1.0.1", 2.0),
        ("/1.0", 2.0),
        ("/*", 4.0),
        ("/latest", 4.0),
        ("/3", 3.0),
        ("@champion", 1.0),
        ("/champion", 1.0),
        ("@v1.1.0", 3.0),
        ("@^1", 3.0),
        ("/Production", 2.0),
        ("@production", 2.0),
    ],
)
def test_every_selector_loads_its_version(tracking, loadable, selector, factor):
    assert factor_of(mlflow.pyfunc.load_model(f"models:/{loadable}{selector}")) == factor


@pytest.mark.modelry_only
def test_what_selects_nothing_says_what_there_is(client, four, name):
    with pytest.raises(MlflowException, match=r"no version of model .* matches \^3: its greatest are 2.0.0, 1.1.0"):
        mlflow.pyfunc.load_model(f"models:/{name}/^3")
    with pytest.raises(MlflowException, match=r"Model Version \(name=.*, version=9.9.9\) not found"):
        mlflow.pyfunc.load_model(f"models:/{name}/9.9.9")


@pytest.mark.modelry_only
@pytest.mark.parametrize("version", ["^1", "latest", "1.0", "*", "champion", "Production"])
def test_no_write_takes_what_may_mean_another_version_tomorrow(client, register, name, version):
    register()
    for write in [
        lambda: client.delete_model_version(name, version),
        lambda: client.update_model_version(name, version, "x"),
        lambda: client.set_model_version_tag(name, version, "a", "b"),
        lambda: client.transition_model_version_stage(name, version, "Staging"),
        lambda: client.set_registered_model_alias(name, "a", version),
    ]:
        with pytest.raises(MlflowException) as error:
            write()
        assert error.value.error_code == "INVALID_PARAMETER_VALUE"
    [left] = client.search_model_versions(f"name = '{name}'")
    assert (left.current_stage, dict(left.tags), left.description or "") == ("None", {}, "")


@pytest.mark.modelry_only
@pytest.mark.parametrize("version", ["^1", "latest", "1.0", "*", "champion", "Production"])
def test_no_write_takes_a_range_whatever_the_client_checks(wire, client, register, name, version):
    register()
    version = {"name": name, "version": version}
    answers = [
        wire.delete("model-versions/delete", version),
        wire.patch("model-versions/update", {**version, "description": "x"}),
        wire.post("model-versions/set-tag", {**version, "key": "a", "value": "b"}),
        wire.delete("model-versions/delete-tag", {**version, "key": "a"}),
        wire.post(
            "model-versions/transition-stage",
            {**version, "stage": "Staging", "archive_existing_versions": False},
        ),
        wire.post("registered-models/alias", {**version, "alias": "a"}),
    ]
    assert [answer.status for answer in answers] == [400] * 6


@pytest.mark.modelry_only
def test_writes_take_a_full_version(wire, client, four, name):
    version = {"name": name, "version": "1.1.0"}
    wire.ok(wire.post("registered-models/alias", {**version, "alias": "a"}))
    wire.ok(wire.patch("model-versions/update", {**version, "description": "said"}))
    assert client.get_model_version_by_alias(name, "a").version == "3"
    assert client.get_model_version(name, "3").description == "said"
    wire.ok(wire.delete("model-versions/delete", version))
    with pytest.raises(MlflowException, match="not found"):
        client.get_model_version(name, "3")


@pytest.mark.covers(
    "MlflowClient.get_model_version", "MlflowClient.update_model_version", "MlflowClient.delete_model_version"
)
def test_a_version_is_described_and_deleted_for_good(client, register, name):
    register()
    register()
    client.update_model_version(name, "2", "Said of it")
    assert client.get_model_version(name, "2").description == "Said of it"
    client.delete_model_version(name, "2")
    with pytest.raises(MlflowException, match=r"Model Version \(name=.*, version=2\) not found"):
        client.get_model_version(name, "2")
    assert register().version == "3"


@pytest.mark.covers(
    "MlflowClient.set_model_version_tag", "MlflowClient.delete_model_version_tag", "MlflowClient.create_model_version"
)
def test_tags_of_a_version(client, register, name):
    register()
    client.set_model_version_tag(name, "1", "a", "1")
    assert dict(client.get_model_version(name, "1").tags) == {"a": "1"}
    client.delete_model_version_tag(name, "1", "a")
    assert dict(client.get_model_version(name, "1").tags) == {}


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.set_model_version_tag")
def test_a_tag_of_a_version_by_the_fluent_api(client, register, name):
    register()
    mlflow.set_model_version_tag(name, "1", "a", "1")
    assert dict(client.get_model_version(name, "1").tags) == {"a": "1"}


@pytest.mark.modelry_only
def test_a_version_stays_the_version_that_it_is(client, register, name):
    register()
    client.set_model_version_tag(name, "1", "gitlab.version", "1.0.0")
    with pytest.raises(MlflowException, match="this is version 1.0.0, which stays so"):
        client.set_model_version_tag(name, "1", "gitlab.version", "1.0.1")


@pytest.mark.covers("MlflowClient.transition_model_version_stage", "MlflowClient.get_latest_versions")
def test_stages(client, four, name):
    client.transition_model_version_stage(name, "1", "production")
    client.transition_model_version_stage(name, "2", "Production")
    assert client.get_model_version(name, "1").current_stage == "Production"
    client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
    stages = {one.version: one.current_stage for one in client.search_model_versions(f"name = '{name}'")}
    assert stages == {"1": "Archived", "2": "Archived", "3": "Production", "4": "None"}
    newest = {one.current_stage: one.version for one in client.get_latest_versions(name)}
    assert newest == {"Archived": "2", "Production": "3", "None": "4"}
    assert [one.version for one in client.get_latest_versions(name, ["Production"])] == ["3"]
    assert client.get_latest_versions(name, ["Staging"]) == []
    with pytest.raises(MlflowException, match="Invalid Model Version stage: wild"):
        client.transition_model_version_stage(name, "1", "wild")


@pytest.mark.covers(
    "MlflowClient.set_registered_model_alias",
    "MlflowClient.delete_registered_model_alias",
    "MlflowClient.get_model_version_by_alias",
)
def test_aliases_point_at_one_version(client, register, name):
    register()
    register()
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "champion", "2")
    assert client.get_model_version_by_alias(name, "champion").version == "2"
    assert client.get_model_version(name, "1").aliases == []
    assert dict(client.get_registered_model(name).aliases) == {"champion": "2"}
    client.delete_registered_model_alias(name, "champion")
    client.delete_registered_model_alias(name, "champion")
    with pytest.raises(MlflowException, match="alias champion not found"):
        client.get_model_version_by_alias(name, "champion")
    client.set_registered_model_alias(name, "challenger", "2")
    client.delete_model_version(name, "2")
    assert dict(client.get_registered_model(name).aliases) == {}


@pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "a b", "a/b"])
def test_an_alias_that_would_be_read_as_something_else_is_refused(client, register, name, alias):
    register()
    with pytest.raises(MlflowException) as error:
        client.set_registered_model_alias(name, alias, "1")
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.covers("MlflowClient.search_registered_models", "mlflow.search_registered_models")
def test_models_are_searched(client, unique):
    word = unique("zoo").replace(" ", "-")
    for letter in "abc":
        client.create_registered_model(f"{word}-{letter}", tags={"letter": letter})
    search = client.search_registered_models
    names = lambda found: [one.name for one in found]
    assert names(search(f"name = '{word}-b'")) == [f"{word}-b"]
    assert names(mlflow.search_registered_models(filter_string=f"name = '{word}-b'")) == [f"{word}-b"]
    assert names(search(f"name LIKE '{word}%'")) == [f"{word}-a", f"{word}-b", f"{word}-c"]
    assert names(search(f"name ILIKE '{word.upper()}%' AND tag.letter != 'b'")) == [f"{word}-a", f"{word}-c"]
    first = search(f"name LIKE '{word}%'", max_results=2, order_by=["name DESC"])
    rest = search(f"name LIKE '{word}%'", max_results=2, order_by=["name DESC"], page_token=first.token)
    assert names(first) + names(rest) == [f"{word}-c", f"{word}-b", f"{word}-a"]
    assert not rest.token
    with pytest.raises(MlflowException):
        search("nonsense = 'x'")


@pytest.mark.covers("MlflowClient.search_model_versions", "mlflow.search_model_versions")
def test_versions_are_searched(client, four, name):
    search = client.search_model_versions
    numbers = lambda found: [one.version for one in found]
    mine = f"name = '{name}'"
    assert numbers(search(f"{mine} AND version_number > 2", order_by=["version_number DESC"])) == ["4", "3"]
    assert len(mlflow.search_model_versions(filter_string=mine)) == 4
    [one] = search(f"{mine} AND version_number = 2")
    assert numbers(search(f"run_id = '{one.run_id}'")) == ["2"]
    client.set_model_version_tag(name, "3", "kind", "good")
    assert numbers(search(f"{mine} AND tag.kind = 'good'")) == ["3"]
    first = search(mine, max_results=3, order_by=["version_number ASC"])
    rest = search(mine, max_results=3, order_by=["version_number ASC"], page_token=first.token)
    assert numbers(first) + numbers(rest) == ["1", "2", "3", "4"]


@pytest.mark.modelry_only
def test_versions_are_searched_by_their_semantic_version_and_with_or(client, four, name):
    found = client.search_model_versions(
        f"name = '{name}' AND (tags.gitlab.version = '1.1.0' OR tags.modelry.version LIKE '2.%')",
        order_by=["version_number ASC"],
    )
    assert [one.version for one in found] == ["3", "4"]


@pytest.mark.covers("MlflowClient.copy_model_version")
def test_a_version_is_copied(client, four, name):
    copy = client.copy_model_version(f"models:/{name}/3", name + " copied")
    assert (copy.name, copy.version) == (name + " copied", "1")
    assert number_in(client.get_model_version_download_uri(name + " copied", "1")) == 3


@pytest.mark.modelry_only
def test_a_copy_keeps_its_version_where_that_is_free(client, four, name):
    assert semantic(client.copy_model_version(f"models:/{name}/3", name + " copied")) == "1.1.0"
    assert semantic(client.copy_model_version(f"models:/{name}/3", name)) == "1.1.1"
    assert number_in(client.get_model_version_download_uri(name, "5")) == 3


@pytest.mark.covers("MlflowClient.get_model_version_download_uri")
def test_the_files_of_a_version_are_those_of_the_moment(client, experiment, name):
    with mlflow.start_run() as active:
        mlflow.log_text("before", "files/a.txt")
        mlflow.log_text("{}", "files/deep/b.json")
    client.create_registered_model(name)
    version = client.create_model_version(name, f"runs:/{active.info.run_id}/files", active.info.run_id)
    assert version.run_id == active.info.run_id
    client.log_text(active.info.run_id, "after", "files/c.txt")
    uri = client.get_model_version_download_uri(name, version.version)
    files = {one.path.rpartition("/")[2]: one.is_dir for one in mlflow.artifacts.list_artifacts(uri)}
    assert files.get("a.txt") is False and files.get("deep") is True


@pytest.mark.modelry_only
def test_what_is_written_later_changes_no_version(wire, client, experiment, name):
    with mlflow.start_run() as active:
        mlflow.log_text("before", "files/a.txt")
    client.create_registered_model(name)
    version = client.create_model_version(name, f"runs:/{active.info.run_id}/files", active.info.run_id)
    client.log_text(active.info.run_id, "after", "files/a.txt")
    client.log_text(active.info.run_id, "after", "files/b.txt")
    uri = client.get_model_version_download_uri(name, version.version)
    assert mlflow.artifacts.load_text(uri + "/a.txt") == "before"
    assert [one.path for one in mlflow.artifacts.list_artifacts(uri)] == ["artifacts/a.txt"]
    for method in ["PUT", "DELETE"]:
        answer = wire.send(method, artifact(uri.removeprefix("mlflow-artifacts:/") + "/a.txt"), b"changed")
        assert answer.status == 409
        assert "is published, so its files do not change any more. The next free version is 1.0.1" in answer.text


@pytest.mark.modelry_only
def test_the_gitlab_way(client, name):
    """A version is made first; what is logged to its run are its files, until it is published."""
    client.create_registered_model(name)
    version = client.create_model_version(name, "1.2.0", tags={"gitlab.version": "1.2.0"})
    assert (version.status, semantic(version)) == ("READY", "1.2.0")
    client.log_metric(version.run_id, "auc", 0.9)
    client.log_param(version.run_id, "depth", 3)
    client.log_text(version.run_id, "weights", "model/weights.txt")
    with pytest.raises(MlflowException, match="no version of model"):
        client.get_latest_versions(name, ["^1"])
    [draft] = client.get_latest_versions(name)
    uri = client.get_model_version_download_uri(name, draft.version)
    assert mlflow.artifacts.load_text(uri + "/model/weights.txt") == "weights"
    client.set_terminated(version.run_id)
    [published] = client.get_latest_versions(name, ["^1"])
    uri = client.get_model_version_download_uri(name, published.version)
    client.log_text(version.run_id, "other", "model/weights.txt")
    assert mlflow.artifacts.load_text(uri + "/model/weights.txt") == "weights"
    assert client.get_experiment(client.get_run(version.run_id).info.experiment_id).name == name


@pytest.mark.modelry_only
def test_a_tag_publishes_a_draft(client, name):
    client.create_registered_model(name)
    version = client.create_model_version(name, "")
    with pytest.raises(MlflowException, match="has no files yet"):
        client.set_model_version_tag(name, version.version, "modelry.published", "true")
    client.log_text(version.run_id, "weights", "weights.txt")
    client.set_model_version_tag(name, version.version, "modelry.published", "true")
    assert [one.version for one in client.get_latest_versions(name, ["*"])] == ["1"]


@pytest.mark.modelry_only
def test_a_version_that_is_none_is_refused_with_the_nearest(client, name):
    client.create_registered_model(name)
    with pytest.raises(MlflowException, match="did you mean 1.2.0"):
        client.create_model_version(name, "", tags={"gitlab.version": "v1.2"})
    client.create_model_version(name, "", tags={"gitlab.version": "1.2.0"})
    with pytest.raises(MlflowException, match="The next free one is 1.2.1"):
        client.create_model_version(name, "", tags={"gitlab.version": "1.2.0"})


@pytest.mark.modelry_only
def test_a_published_version_is_never_given_to_other_bytes(client, register, name):
    register()
    client.delete_model_version(name, "1")
    assert semantic(register()) != "1.0.0"
    with pytest.raises(MlflowException, match="was published once"):
        client.create_model_version(name, "", tags={"modelry.version": "1.0.0"})


@pytest.mark.modelry_only
@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc",
        "file:etc",
        "C:/models",
        "model",
        "./model",
        "runs:/x/../../y",
        "runs:/x/%2e%2e/y",
        "runs:/x/%252e%252e/y",
        "s3://bucket/../x",
        "s3://bucket/%2e%2e/x",
        "mlflow-artifacts:/../x",
        "mlflow-artifacts:/1/%2e%2e/x",
        "models:/m-x/..\\y",
        "s3://bucket/a\0b",
    ],
)
def test_a_local_or_climbing_source_is_refused(client, name, source):
    client.create_registered_model(name)
    with pytest.raises(MlflowException) as error:
        client.create_model_version(name, source)
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"
    assert client.search_model_versions(f"name = '{name}'") == []


@pytest.mark.modelry_only
def test_a_source_elsewhere_is_kept_as_text_and_sends_nobody_there(client, name):
    client.create_registered_model(name)
    cloud = client.create_model_version(name, "s3://bucket/model")
    assert client.get_model_version_download_uri(name, cloud.version) == "s3://bucket/model"
    for source in ["http://elsewhere.example/model", "mlflow-artifacts://elsewhere.example/model"]:
        version = client.create_model_version(name, source)
        assert version.source == source
        with pytest.raises(MlflowException, match="names files outside this server"):
            client.get_model_version_download_uri(name, version.version)


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.sklearn.log_model")
def test_a_model_is_logged_and_registered_in_one_call(client, experiment, name):
    with mlflow.start_run() as active:
        info = log_model(times(2.0), registered_model_name=name)
    [version] = client.search_model_versions(f"name = '{name}'")
    assert version.version == "1"
    assert factor_of(mlflow.pyfunc.load_model(f"models:/{name}/1")) == 2.0
    assert info.registered_model_version in ("1", 1)
    assert mlflow.get_logged_model(info.model_id).source_run_id == active.info.run_id


@pytest.mark.covers("mlflow.register_model")
def test_one_run_becomes_versions_of_two_models(client, experiment, name):
    with mlflow.start_run() as active:
        log_model(times(2.0))
    for of in [name, name + " two"]:
        version = mlflow.register_model(f"runs:/{active.info.run_id}/model", of)
        assert version.run_id == active.info.run_id
        assert factor_of(mlflow.pyfunc.load_model(f"models:/{of}/1")) == 2.0


@pytest.mark.modelry_only
def test_a_registered_model_is_no_logged_model(wire, client, name):
    client.create_registered_model(name.replace(" ", "-"))
    answer = wire.get(f"logged-models/{name.replace(' ', '-')}")
    assert answer.status == 404
    assert "is a registered model; say models:/" in answer.text
