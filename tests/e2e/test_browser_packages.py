"""Packages, the bin and the history of aliases: a real browser against the real binary."""

import pytest
from playwright.sync_api import expect
from support.browser import shoot
from support.native import Native

pytestmark = pytest.mark.modelry_only("these are Modelry's pages")

PROJECT = "/root/playground"
MODELS = f"{PROJECT}/-/ml/models"
WEIGHTS = bytes(range(256)) * 48_000


@pytest.fixture(scope="module")
def site(fresh):
    """A server with two published versions of `churn`, a draft, and an alias that moved."""
    server = fresh().start()
    api = Native(server.url, server.token)
    project = "/projects/root%2Fplayground"
    api.call("POST", f"{project}/models", {"name": "churn", "description": "# Who leaves"})
    for number in [1, 2, 3]:
        made = api.call("POST", f"{project}/models/churn/versions", {})
        upload(api, made["id"], "model/weights.bin", WEIGHTS * number)
        upload(api, made["id"], "README.md", b"# Made by hand")
        if number < 3:
            api.call("PATCH", f"{project}/models/churn/versions/{number}", {"state": "published"})
            move = {"version": str(number), "reason": f"version {number} is out"}
            api.call("PUT", f"{project}/models/churn/aliases/champion", move)
    api.call("POST", f"{project}/models", {"name": "demand"})
    return server


def upload(api, package, path, data):
    stored = api.wire.send("PUT", f"/projects/root%2Fplayground/packages/ml_models/{package}/files/{path}", data)
    assert stored.status == 201, stored.text


def test_packages_are_found_and_lead_to_their_files(visit):
    page = visit(PROJECT)
    page.get_by_label("Main").get_by_role("link", name="Package registry").click()
    expect(page.get_by_role("row")).to_have_count(7)
    page.get_by_role("link", name="Versions", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_label("Search packages by name").fill("CHURN")
    page.get_by_label("Search packages by name").press("Enter")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="churn 1.0.1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("churn 1.0.1 (#2)")
    expect(page.get_by_role("link", name="README.md")).to_be_visible()


def test_a_version_is_downloaded_as_an_archive(visit):
    page = visit(f"{MODELS}/1/versions/2")
    for form in ["tar", "zip"]:
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download all as .{form}").click()
        assert download.value.suggested_filename == f"churn-1.0.1.{form}"


def test_an_alias_is_protected_and_rolled_back(visit):
    page = visit(f"{MODELS}/1")
    page.get_by_role("button", name="Protect champion", exact=True).click()
    expect(page.get_by_text("Protected", exact=True)).to_be_visible()
    page.get_by_text("Where it pointed").click()
    page.get_by_text("Roll back to here").click()
    page.get_by_label("Why", exact=True).fill("1.0.1 answers too slowly")
    shoot(page, "packages-roll-back")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("Where it pointed").click()
    expect(page.get_by_text("1.0.1 answers too slowly")).to_be_visible()
    expect(page.get_by_text("1.0.1 (#2) → 1.0.0 (#1)")).to_be_visible()
    page.get_by_role("button", name="Unprotect champion").click()
    expect(page.get_by_text("Protected", exact=True)).to_have_count(0)


def test_a_version_and_a_model_are_deleted_and_removed_for_good(visit):
    page = visit(f"{MODELS}/1/versions/3")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_text("goes to the bin for 7 days")).to_be_visible()
    expect(page.get_by_text("frees nothing: other versions or candidates have the same bytes")).to_be_visible()
    shoot(page, "packages-delete-version")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="In the bin").click()
    expect(page.get_by_role("cell", name="7 days")).to_be_visible()
    shoot(page, "packages-bin-versions")
    page.get_by_role("button", name="Remove for good 1.0.2 (#3)").click()
    expect(page.get_by_role("status")).to_contain_text("1.0.2 (#3) is removed for good. This freed nothing")

    page.goto(f"{MODELS}/1/delete")
    expect(page.get_by_text("Its 2 versions go with it.")).to_be_visible()
    shoot(page, "packages-delete-model")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="In the bin").click()
    shoot(page, "packages-bin-models")
    page.get_by_role("button", name="Restore churn").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("churn")


def test_removing_a_model_for_good_says_what_it_freed(visit):
    page = visit(f"{MODELS}/2/delete")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="In the bin").click()
    page.get_by_role("button", name="Remove for good demand").click()
    expect(page.get_by_role("status")).to_contain_text("demand is removed for good")
    expect(page.get_by_text("Nothing is in the bin")).to_be_visible()
    shoot(page, "packages-bin-empty")


def test_a_project_without_packages_shows_how_to_upload(visit, site):
    page = visit("/projects/new")
    page.get_by_label("Project name").fill("Forecasts")
    page.get_by_label("Address").fill("forecasts")
    page.get_by_role("button", name="Create project").click()
    page.get_by_label("Main").get_by_role("link", name="Package registry").click()
    expect(page.get_by_text(f"modelry login {site.url}/root/forecasts")).to_be_visible()
    shoot(page, "packages-none")


PAGES = {
    "packages": "/-/packages",
    "packages-model": "/-/ml/models/1",
    "packages-version": "/-/ml/models/1/versions/2",
    "packages-delete": "/-/ml/models/1/delete",
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_opens_in_light_and_dark(visit, name, colours):
    page = visit(PROJECT + PAGES[name], color_scheme=colours)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    shoot(page, name if colours == "light" else f"{name}-dark")
