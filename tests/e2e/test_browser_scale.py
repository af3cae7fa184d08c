"""The table and the comparison over an experiment of 100,000 candidates, in a real browser.

They are seeded by the store's own functions (crates/store/examples/fill_experiment.rs) while no server runs: 10 metrics, 10
params and 3 tags each, which follow from the number in the name.
"""

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser import shoot
from support.native import Native
from support.server import REPOSITORY

pytestmark = pytest.mark.modelry_only("these are Modelry's pages")

CANDIDATES = 100_000
PAGE = "/root/playground/-/ml/experiments"
POINTS = 20_000
SPIKE = 12_345
COLUMNS = 6


def filler():
    """The program that seeds: `MODELRY_FILLER`, else the release build."""
    path = Path(os.environ.get("MODELRY_FILLER", REPOSITORY / "target/release/examples/fill_experiment"))
    assert path.exists(), f"{path} is missing: cargo build --release -p modelry-store --example fill_experiment"
    return path


@pytest.fixture(scope="module")
def site(fresh):
    """A server with `CANDIDATES` finished candidates, of which the two newest have a long series."""
    server = fresh().start()
    native = Native(server.url, server.token)
    server.experiment = native.call("POST", "/projects/1/experiments", {"name": "sweep"})["id"]
    server.stop()
    database = server.data / "modelry.db"
    subprocess.run([filler(), database, "1", str(server.experiment), "0", str(CANDIDATES)], check=True)
    server.start()
    newest = native.call("GET", f"/projects/1/experiments/{server.experiment}/candidates?per_page=2")
    for number, candidate in enumerate(newest):
        log_series(native, candidate["iid"], number)
    return server


def log_series(native, candidate, number):
    noise = random.Random(number)
    for start in range(0, POINTS, 1_000):
        metrics = [
            {"key": "loss", "step": step, "timestamp": 1_700_000_000_000 + step,
             "value": 9 if (number, step) == (0, SPIKE) else 1 / (1 + step / 1_000) + noise.random() / 10}
            for step in range(start, start + 1_000)
        ]
        native.call("POST", f"/projects/1/candidates/{candidate}/log", {"metrics": metrics})


@pytest.fixture
def table(visit, site):
    """Opens the table, with a query behind its address."""
    return lambda query="", **options: visit(f"{PAGE}/{site.experiment}{query}", **options)


def names(page):
    return page.locator("table.candidates tbody th").all_inner_texts()


def column(page, index):
    """The texts of one of the columns that were chosen."""
    return page.locator(f"table.candidates tbody tr td:nth-of-type({COLUMNS + index})").all_inner_texts()


def is_zoom_of(key):
    """Whether an answer is that to a chart of this key that was zoomed into."""
    def is_it(answer):
        if not answer.url.endswith("/series"):
            return False
        asked = json.loads(answer.request.post_data)
        return asked["keys"] == [key] and asked["range"] is not None

    return is_it


def test_an_order_by_a_metric_goes_on_from_page_to_page(table):
    page = table("?column=metrics.m2&column=params.p1")
    heading = page.get_by_role("columnheader", name="m2")
    heading.get_by_role("link").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    shoot(page, "scale-table")
    seen = []
    for _ in range(3):
        seen += [float(text) for text in column(page, 0)]
        last = names(page)[-1]
        page.get_by_role("link", name="Next page").click()
        expect(page.locator("table.candidates tbody th").last).not_to_have_text(last)
    assert len(seen) == 300
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > 0.999


def test_an_order_by_few_values_has_the_newest_first_in_each(table):
    page = table("?column=params.p0&order_by=params.p0")
    numbers = [int(name.removeprefix("run-")) for name in names(page)]
    assert (len(numbers), set(column(page, 0))) == (100, {"0"})
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] > CANDIDATES - 100


def test_a_filter_finds_few_among_all(table):
    page = table("?column=metrics.m0&column=params.p1&order_by=metrics.m2")
    page.get_by_label("Filter candidates").fill("metrics.m0 > 0.99 AND params.p1 = '7'")
    page.get_by_label("Filter candidates").press("Enter")
    expect(page).to_have_url(re.compile("filter="))
    # A hundredth of a twentieth of 100,000 are 50, more or less.
    assert 20 < len(names(page)) < 90
    assert set(column(page, 1)) == {"7"}
    assert all(float(text) > 0.99 for text in column(page, 0))
    shoot(page, "scale-filter")


def test_columns_are_picked(table):
    page = table("?column=metrics.m2")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="min of m2").check()
    page.get_by_role("checkbox", name="p9", exact=True).check()
    shoot(page, "scale-columns")
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="min(m2)")).to_be_visible()
    # One point was logged for each, so the least value is the last.
    expect(page.get_by_role("columnheader", name="p9")).to_be_visible()
    assert len(names(page)) == 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_are_compared_and_zoomed_into(table, scheme):
    page = table(color_scheme=scheme)
    for name in names(page)[:2]:
        page.get_by_role("checkbox", name=f"Compare {name}").check()
    page.get_by_role("button", name="Compare").click()
    chart = page.locator('[data-chart="loss"]')
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas").first).to_be_visible()
    box = chart.locator(".plot").bounding_box()
    middle = box["y"] + box["height"] / 2
    with page.expect_response(is_zoom_of("loss")) as zoomed:
        page.mouse.move(box["x"] + box["width"] * 0.58, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.63, middle)
        page.mouse.move(box["x"] + box["width"] * 0.68, middle)
        page.mouse.up()
    spiked = [series for series in zoomed.value.json()["series"] if 9 in series["buckets"]["max"]]
    assert len(spiked) == 1
    shoot(page, f"scale-compare-{scheme}")


def test_the_table_is_readable_in_the_dark(table):
    page = table("?column=metrics.m2&column=max(metrics.m3)&column=params.p1&column=tags.team&order_by=run_name", color_scheme="dark")
    assert names(page)[:3] == ["run-0", "run-1", "run-10"]
    shoot(page, "scale-table-dark")
