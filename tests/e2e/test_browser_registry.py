"""People and the model registry: a real browser against the real binary, with what a client registered."""

import os

import mlflow
import numpy
import pytest
from playwright.sync_api import expect
from sklearn.linear_model import LinearRegression
from support.browser import shoot
from support.wire import Wire

pytestmark = pytest.mark.modelry_only("these are Modelry's pages")

PROJECT = "/root/playground"
CARD = """---
license: apache-2.0
tags: [tabular, churn]
datasets: [customers-2026]
library_name: sklearn
---
# Who leaves

Predicts which customers leave within a month, from their **age** and *plan*.

| Metric | Value |
|--------|------:|
| AUC    | 0.93  |

1. Fed nightly
2. Retrained weekly

```python
model.predict(customers)
```
"""


@pytest.fixture(scope="module")
def site(fresh):
    """A server on which a client registered two versions of `churn`, the second with one more input."""
    server = fresh().start()
    os.environ["MLFLOW_TRACKING_TOKEN"] = server.token
    mlflow.set_tracking_uri(server.tracking_uri)
    mlflow.set_experiment("training")
    log_version(columns=1, auc=0.91)
    log_version(columns=2, auc=0.934)
    client = mlflow.MlflowClient()
    client.update_registered_model("churn", CARD)
    client.update_model_version("churn", "2", "Retrained with the **plan** of each customer.")
    client.set_model_version_tag("churn", "2", "team", "growth")
    yield server
    del os.environ["MLFLOW_TRACKING_TOKEN"]


def log_version(columns, auc):
    """Logs a model of so many inputs and registers it in the same call."""
    features = numpy.arange(6.0 * columns).reshape(6, columns)
    model = LinearRegression().fit(features, features.sum(axis=1))
    pickled = {"serialization_format": mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE}
    named = {"name": "model"} if int(mlflow.__version__.split(".")[0]) > 2 else {"artifact_path": "model"}
    names = ["age", "plan"][:columns]
    schema = mlflow.types.Schema([mlflow.types.ColSpec("double", name) for name in names])
    signature = mlflow.models.ModelSignature(inputs=schema)
    with mlflow.start_run():
        mlflow.log_params({"columns": columns, "solver": "auto"})
        mlflow.log_metric("auc", auc)
        mlflow.sklearn.log_model(model, signature=signature, registered_model_name="churn", **named, **pickled)


def test_what_a_client_registered_is_two_clicks_from_the_projects_page(visit):
    page = visit(PROJECT)
    page.get_by_label("Main").get_by_role("link", name="Model registry").click()
    page.get_by_role("link", name="1.0.1 (#2)").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("churn 1.0.1 (#2)")
    for text in ["sklearn", "plan", "0.934", "runs code when loaded"]:
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text('looks like major: required column "plan" added')).to_be_visible()


def test_a_version_is_made_uploaded_published_and_pointed_at(visit, site, tmp_path):
    page = visit(f"{PROJECT}/-/ml/models")
    page.get_by_role("link", name="Create model").click()
    page.get_by_label("Name").fill("demand")
    page.get_by_label("Model card").fill("# Demand\n\nHow much is *sold*.")
    page.get_by_role("button", name="Create model").click()
    expect(page.get_by_role("heading", name="Demand", exact=True)).to_be_visible()
    page.get_by_role("link", name="Create version").click()
    shoot(page, "registry-new-version")
    page.get_by_label("Version").fill("2.0.0")
    page.get_by_role("button", name="Create version").click()
    expect(page.get_by_text("Draft", exact=True)).to_be_visible()

    (tmp_path / "notes.md").write_text("Made by hand.")
    (tmp_path / "weights.bin").write_bytes(bytes(300_000))
    page.get_by_label("Files", exact=True).set_input_files([tmp_path / "notes.md", tmp_path / "weights.bin"])
    page.get_by_label("Sub-folder").fill("final model")
    shoot(page, "registry-upload")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="final model").click()
    page.get_by_role("link", name="notes.md").click()
    expect(page.get_by_text("Made by hand.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").first.click()
    assert download.value.suggested_filename == "notes.md"

    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published", exact=True)).to_be_visible()
    page.get_by_label("Point an alias here").fill("champion")
    page.get_by_label("Why", exact=False).first.fill("it is the first")
    page.get_by_role("button", name="Set alias").click()
    expect(page.get_by_text("@champion").first).to_be_visible()
    shoot(page, "registry-made-by-hand")

    client = mlflow.MlflowClient(site.tracking_uri)
    assert client.get_model_version_by_alias("demand", "champion").status_message == "2.0.0"
    found = mlflow.artifacts.download_artifacts("models:/demand/^2/final model/notes.md", dst_path=str(tmp_path / "got"))
    assert open(found).read() == "Made by hand."


def test_a_file_that_cannot_be_stored_says_why(browser, session, site, tmp_path):
    wire = Wire(site.tracking_uri, site.token)
    wire.ok(wire.post("registered-models/create", {"name": "broken"}))
    wire.ok(wire.post("model-versions/create", {"name": "broken", "source": ""}))
    page = browser.new_context(base_url=site.url, storage_state=session).new_page()
    page.goto(f"{PROJECT}/-/ml/models/broken")
    page.get_by_role("link", name="1.0.0").first.click()
    page.get_by_role("link", name="Artifacts").click()
    (tmp_path / "a").write_text("a file")
    page.get_by_label("Files", exact=True).set_input_files([tmp_path / "a"])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("navigation", name="Artifacts").get_by_text("a", exact=True)).to_be_visible()
    page.get_by_label("Files", exact=True).set_input_files([tmp_path / "a"])
    page.get_by_label("Sub-folder").fill("a")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#uploads .failed")).to_contain_text("is a file")
    shoot(page, "registry-upload-refused")


def test_a_registry_without_models_shows_how_to_register_one(visit):
    page = visit("/projects/new")
    page.get_by_label("Project name").fill("Forecasts")
    page.get_by_label("Address").fill("forecasts")
    page.get_by_role("button", name="Create project").click()
    page.get_by_label("Main").get_by_role("link", name="Model registry").click()
    expect(page.get_by_text('registered_model_name="my-model"').first).to_be_visible()
    shoot(page, "registry-no-models")


def test_a_candidate_is_promoted(visit):
    page = visit(f"{PROJECT}/-/ml/experiments")
    page.get_by_role("link", name="training").click()
    page.locator("table.candidates tbody a").first.click()
    expect(page.get_by_role("link", name="churn 1.0.1 (#2)")).to_be_visible()
    page.get_by_role("link", name="Promote to a version").click()
    page.get_by_label("Model", exact=True).fill("churn")
    page.get_by_label("Version", exact=False).first.fill("2.0.0")
    shoot(page, "registry-promote")
    page.get_by_role("button", name="Promote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("churn 2.0.0 (#3)")


def test_two_versions_are_compared_without_javascript(visit):
    page = visit(f"{PROJECT}/-/ml/models/1?tab=versions", java_script_enabled=False)
    page.get_by_label("Compare from 1.0.0").check()
    page.get_by_label("Compare to 1.0.1").check()
    page.get_by_role("button", name="Compare the two").click()
    expect(page.get_by_text('required column "plan" added').first).to_be_visible()
    expect(page.get_by_role("row", name="auc 0.91 0.934")).to_be_visible()


PAGES = {
    "registry-models": "/-/ml/models",
    "registry-model": "/-/ml/models/1",
    "registry-versions": "/-/ml/models/1?tab=versions",
    "registry-version": "/-/ml/models/1/versions/2",
    "registry-files": "/-/ml/models/1/versions/2/artifacts/MLmodel",
    "registry-compare": "/-/ml/models/1/compare?a=1&b=2",
    "registry-new-model": "/-/ml/models/new",
    "registry-edit-version": "/-/ml/models/1/versions/2/edit",
    "registry-project": "",
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_opens_in_light_and_dark(visit, name, colours):
    page = visit(PROJECT + PAGES[name], color_scheme=colours)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shoot(page, name if colours == "light" else f"{name}-dark")
