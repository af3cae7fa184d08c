"""People and pages: a real browser against the real binary, with what the tracking example logged."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser import shoot, sign_in
from support.native import Native
from support.server import REPOSITORY
from support.wire import Wire, artifact

pytestmark = pytest.mark.modelry_only("these are Modelry's pages")

EXPERIMENT = "My first experiment"


@pytest.fixture(scope="module")
def site(fresh):
    """A server on which examples/track.py has run."""
    server = fresh().start()
    client = {"MLFLOW_TRACKING_URI": server.tracking_uri, "MLFLOW_TRACKING_TOKEN": server.token}
    # Started by its bare name, the script's folder does not show on the screenshots.
    command = [sys.executable, "track.py"]
    folder = REPOSITORY / "examples"
    subprocess.run(command, cwd=folder, env=os.environ | client, check=True, timeout=300, capture_output=True)
    return server


def candidate(page, name="ridge by hand"):
    """From the list of projects to the candidate, by clicking."""
    page.get_by_role("link", name=re.compile("playground", re.I)).first.click()
    page.get_by_role("link", name="Model experiments").first.click()
    page.get_by_role("link", name=EXPERIMENT).click()
    page.get_by_role("link", name=name).click()
    return page


def visible(page, text):
    expect(page.get_by_text(text, exact=False).first).to_be_visible()


# Signing in


def test_a_password_signs_in_and_a_wrong_one_does_not(browser, site):
    page = browser.new_context(base_url=site.url).new_page()
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, site.password)
    expect(page.get_by_role("link", name=re.compile("playground", re.I)).first).to_be_visible()


def test_a_sign_in_link_works_once(browser, site):
    link = re.search(r"/users/sign_in/link/\S+", site.command("login-link").stdout).group()
    page = browser.new_context(base_url=site.url).new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name=re.compile("playground", re.I)).first).to_be_visible()
    again = browser.new_context(base_url=site.url).new_page()
    again.goto(link)
    again.get_by_role("button", name="Sign in").click()
    again.goto("/root/playground")
    expect(again.get_by_role("link", name="Model experiments")).to_have_count(0)


def test_signing_out_ends_the_session(browser, site):
    page = browser.new_context(base_url=site.url).new_page()
    sign_in(page, site.password)
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/root/playground")
    expect(page.get_by_role("link", name="Model experiments")).to_have_count(0)


def test_a_form_without_its_secret_is_refused(site, session):
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in session["cookies"])
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    for origin in ({}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}):
        answer = Wire(site.url).send("POST", "/projects", "name=evil&path=evil&visibility=public", headers | origin)
        assert answer.status in {400, 403}
    assert "evil" not in [project["path"] for project in Native(site.url, site.token).call("GET", "/projects")]


# The main job


def test_a_candidate_is_found_by_clicking_and_shows_what_was_logged(visit):
    page = candidate(visit())
    shoot(page, "candidate")
    for text in ["ridge by hand", "solver", "331", "error", "score", "diabetes", "Run ID"]:
        visible(page, text)


def test_each_metric_has_a_chart_over_its_steps(visit):
    page = candidate(visit())
    page.get_by_role("link", name="See the charts").click()
    for key in ("alpha", "error", "score"):
        expect(page.locator(f'[data-chart="{key}"] canvas, [data-chart="{key}"] svg').first).to_be_visible()
    shoot(page, "charts")


def test_the_clients_own_tags_are_folded(visit):
    page = candidate(visit())
    page.get_by_role("link", name="Metadata").click()
    visible(page, "research")
    folded = page.get_by_text("mlflow.source.type")
    expect(folded).to_be_hidden()
    page.get_by_text("Set by the client").click()
    expect(folded).to_be_visible()
    shoot(page, "metadata")


def test_artifacts_are_one_tree_with_preview_and_download(visit):
    page = candidate(visit())
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("link", name="report").click()
    page.get_by_role("link", name="summary.md").click()
    visible(page, "The last error was 41.71.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").first.click()
    assert "The last error was 41.71." in Path(download.value.path()).read_text()
    shoot(page, "artifacts")


def test_a_table_is_previewed_as_one(visit):
    page = candidate(visit())
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("link", name="report").click()
    page.get_by_role("link", name="sample.csv").click()
    expect(page.get_by_role("columnheader", name="bmi")).to_be_visible()


def test_a_logged_model_stands_in_the_tree_with_its_address(visit):
    page = candidate(visit())
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("link", name="models", exact=False).first.click()
    page.get_by_role("link", name="model", exact=True).first.click()
    expect(page.get_by_text(re.compile(r"models:/m-[0-9a-f]{32}")).first).to_be_visible()
    visible(page, "sklearn")
    visible(page, "bmi")
    shoot(page, "model")


def test_a_growing_log_is_followed(visit, site):
    wire = Wire(site.tracking_uri, site.token)
    info = wire.ok(wire.post("runs/create", {"experiment_id": "0", "run_name": "with a log"}))["run"]["info"]
    target = artifact(f"{info['artifact_uri'].removeprefix('mlflow-artifacts:/')}/train.log")
    wire.send("PUT", target, b"line one\n")
    page = visit(f"/root/playground/-/ml/runs/{info['run_id']}")
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("link", name="train.log").click()
    expect(page.locator("#text")).to_contain_text("line one")
    wire.send("PUT", target, b"line one\nline two <b>& more</b>\n")
    expect(page.locator("#text")).to_contain_text("line two <b>& more</b>", timeout=20_000)
    shoot(page, "log")


def test_the_link_that_a_client_prints_opens_the_run(visit, site):
    wire = Wire(site.tracking_uri, site.token)
    experiment = wire.ok(wire.get("experiments/get-by-name", experiment_name=EXPERIMENT))["experiment"]["experiment_id"]
    found = wire.ok(wire.post("runs/search", {"experiment_ids": [experiment]}))["runs"][0]["info"]
    page = visit(f"/api/v4/projects/1/ml/mlflow/#/experiments/{experiment}/runs/{found['run_id']}")
    expect(page.get_by_role("heading", name=found["run_name"])).to_be_visible()
    page = visit(f"/api/v4/projects/1/ml/mlflow/#/experiments/{experiment}")
    expect(page.get_by_role("heading", name=EXPERIMENT)).to_be_visible()


# Finding


def test_the_candidates_are_filtered_and_a_wrong_filter_says_where(visit):
    page = visit("/root/playground/-/ml/experiments")
    shoot(page, "experiments")
    page.get_by_role("link", name=EXPERIMENT).click()
    shoot(page, "experiment")
    box = page.get_by_label("Filter candidates")
    box.fill("params.model = 'ridge' OR metrics.error > 1000")
    box.press("Enter")
    expect(page.get_by_role("link", name="ridge by hand")).to_be_visible()
    expect(page.get_by_role("link", name="ridge by autolog")).to_have_count(0)
    box = page.get_by_label("Filter candidates")
    box.fill("params.model ~ 'ridge'")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"column 14.*\bexpected\b"))
    assert box.input_value() == "params.model ~ 'ridge'"
    shoot(page, "filter-problem")


def test_a_column_sorts_by_a_link(visit):
    page = visit("/root/playground/-/ml/experiments")
    page.get_by_role("link", name=EXPERIMENT).click()
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    first = page.locator("table.candidates tbody tr").first
    one = first.inner_text()
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(first).not_to_have_text(one)
    page.reload()
    expect(first).not_to_have_text(one)


# Tokens, projects, members, users


def test_a_token_is_made_shown_once_used_and_revoked(visit, site):
    page = visit("/-/user_settings/personal_access_tokens")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Create token").click()
    token = page.locator(".secret code").inner_text()
    shoot(page, "token")
    caller = Wire(site.tracking_uri, token)
    caller.ok(caller.get("experiments/get", experiment_id="0"))
    page.goto("/-/user_settings/personal_access_tokens")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke laptop").click()
    expect(page.get_by_role("button", name="Revoke laptop")).to_have_count(0)
    assert caller.get("experiments/get", experiment_id="0").status == 401


def test_a_new_project_shows_how_to_connect(visit, site):
    page = visit("/projects/new")
    shoot(page, "new-project")
    page.get_by_label("Project name").fill("Forecasts")
    page.get_by_label("Address").fill("forecasts")
    page.get_by_role("button", name="Create project").click()
    visible(page, "MLFLOW_TRACKING_URI")
    shoot(page, "new-project-made")
    page.goto("/root/forecasts/-/ml/experiments")
    visible(page, "Get started with model experiments")
    assert f"{site.url}/api/v4/projects/" in page.content()
    shoot(page, "no-experiments")


def test_a_member_is_added_and_removed(visit, site):
    Native(site.url, site.token).create_user("ann")
    page = visit("/root/playground/-/project_members")
    page.get_by_label("User name").fill("ann")
    page.get_by_role("button", name="Add member").click()
    shoot(page, "members")
    page.get_by_role("button", name="Remove ann").click()
    expect(page.get_by_role("button", name="Remove ann")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/", "projects"), ("/root/playground", "project"), ("/root/playground/edit", "settings"), ("/admin/users", "users"), ("/help/words", "words")],
)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_other_page_opens_in_light_and_dark(visit, path, name, colours):
    page = visit(path, color_scheme=colours)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shoot(page, name if colours == "light" else f"{name}-dark")


# What must never happen


def test_what_a_client_logs_is_shown_as_text_and_never_run(visit, site):
    attack = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    wire = Wire(site.tracking_uri, site.token)
    info = wire.ok(wire.post("runs/create", {"experiment_id": "0", "run_name": attack}))["run"]["info"]
    for call in ("log-parameter", "set-tag"):
        wire.ok(wire.post(f"runs/{call}", {"run_id": info["run_id"], "key": "attack", "value": attack}))
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    wire.send("PUT", artifact(f"{root}/page.html"), f"<html>{attack}</html>".encode())
    page = visit(f"/root/playground/-/ml/runs/{info['run_id']}")
    visible(page, attack)
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("link", name="page.html").click()
    assert page.title() != "owned"
    answer = wire.send("GET", artifact(f"{root}/page.html"))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/root/nothing", "/no/such/page", "/root/playground/-/ml/candidates/999999"])
def test_a_page_that_is_not_there_has_a_way_out(browser, site, session, path):
    page = browser.new_context(base_url=site.url, storage_state=session).new_page()
    assert page.goto(path).status == 404
    shoot(page, "not-found")
    page.locator("p.actions a").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_pages_are_readable_without_javascript(visit):
    page = candidate(visit(java_script_enabled=False))
    visible(page, "solver")
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("link", name="report").click()
    page.get_by_role("link", name="summary.md").click()
    visible(page, "The last error was 41.71.")


@pytest.mark.parametrize("path", ["/", "/users/sign_in", "/root/playground/-/ml/experiments/1"])
def test_no_page_allows_inline_scripts_or_frames(site, session, path):
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in session["cookies"])
    answer = Wire(site.url).send("GET", path, headers={} if path == "/users/sign_in" else {"Cookie": cookies})
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status == 200
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
