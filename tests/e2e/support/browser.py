"""A real browser, for tests of pages. Their module has a fixture `site`: the server whose pages they open."""

import os

import pytest
from playwright.sync_api import sync_playwright
from support.server import REPOSITORY

SCREENSHOTS = REPOSITORY / "target/e2e/screenshots"


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def session(browser, site):
    """The cookies of root, signed in by password once for all tests."""
    context = browser.new_context(base_url=site.url)
    sign_in(context.new_page(), site.password)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def visit(browser, site, session):
    """Opens a signed-in page, and fails at the end if the browser complained about anything on the way."""
    contexts, complaints = [], []

    def open_page(path="/", **options):
        options = {"storage_state": session, "viewport": {"width": 1400, "height": 1000}} | options
        contexts.append(browser.new_context(base_url=site.url, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page, password):
    page.goto("/users/sign_in")
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def shoot(page, name):
    """Keeps a picture of the whole page, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
