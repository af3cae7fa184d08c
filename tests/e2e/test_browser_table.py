"""The table of candidates in a real browser, over an experiment of a few thousand."""

import csv
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser import shoot
from support.native import Native

pytestmark = pytest.mark.modelry_only("these are Modelry's pages")

CANDIDATES = 2_000
PAGE = "/root/playground/-/ml/experiments"
SOLVERS = ["adam", "sgd", "lbfgs"]
# More keys than the page itself offers, so that some are found only by searching.
MANY = [f"layer/{number:03}/norm" for number in range(120)]


def point(key, value, step=0):
    return {"key": key, "value": value, "step": step, "timestamp": 1_700_000_000_000 + step}


@pytest.fixture(scope="module")
def site(fresh):
    """A server with `CANDIDATES` finished candidates, of which the first one has very many metrics."""
    server = fresh().start()
    native = Native(server.url, server.token)
    server.experiment = native.call("POST", "/projects/1/experiments", {"name": "sweep"})["id"]

    def candidate(number):
        new = {
            "name": f"trial-{number:04}",
            "params": {"solver": SOLVERS[number % 3], "depth": str(number % 7)},
            "start_time": 1_700_000_000_000 + number,
        }
        made = native.call("POST", f"/projects/1/experiments/{server.experiment}/candidates", new)["iid"]
        metrics = [point("loss", 1 / (number + 1)), point("loss", 2.0, step=1), point("accuracy", number / CANDIDATES)]
        if number == 0:
            metrics += [point(key, 0.5) for key in MANY]
        native.call("POST", f"/projects/1/candidates/{made}/log", {"metrics": metrics})
        native.call("PATCH", f"/projects/1/candidates/{made}", {"status": "finished"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(candidate, range(CANDIDATES)))
    return server


@pytest.fixture
def table(visit, site):
    """Opens the table, with a query behind its address."""
    return lambda query="", **options: visit(f"{PAGE}/{site.experiment}{query}", **options)


def names(page):
    return page.locator("table.candidates tbody th").all_inner_texts()


def headings(page):
    return [text.strip() for text in page.locator("table.candidates thead tr").last.locator("th").all_inner_texts()]


def test_a_heading_sorts_and_the_address_says_so(table):
    page = table("?column=metrics.accuracy&column=params.solver")
    assert names(page)[0] == f"trial-{CANDIDATES - 1:04}"
    shoot(page, "table")
    page.get_by_role("columnheader", name="accuracy").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="accuracy")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("columnheader", name="accuracy").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="accuracy")).to_have_attribute("aria-sort", "ascending")
    assert names(page)[:2] == ["trial-0000", "trial-0001"]
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="First page")).to_be_visible()
    assert (names(page)[0], len(names(page))) == ("trial-0100", 100)
    page.reload()
    assert names(page)[0] == "trial-0100"


def test_a_key_is_completed_in_the_filter(table):
    page = table()
    box = page.get_by_label("Filter candidates")
    box.click()
    box.press_sequentially("par")
    expect(page.get_by_role("option", name="params.", exact=True)).to_be_visible()
    box.press("Tab")
    box.press_sequentially("sol")
    expect(page.get_by_role("option")).to_have_text(["params.solver"])
    shoot(page, "table-completion")
    box.press("ArrowDown")
    box.press("Enter")
    assert box.input_value() == "params.solver "
    box.press_sequentially("= 'adam' AND metrics.acc")
    expect(page.get_by_role("option", name="metrics.accuracy")).to_be_visible()
    box.press("Tab")
    box.press_sequentially("> 0.99")
    box.press("Enter")
    expect(page.locator("table.candidates tbody tr")).to_have_count(sum(n % 3 == 0 for n in range(1_981, CANDIDATES)))
    assert "filter=" in page.url


def test_a_wrong_filter_is_marked_where_it_is_wrong(table):
    page = table("?filter=metrics.loss %3E abc")
    expect(page.get_by_role("alert")).to_contain_text("column 16")
    box = page.get_by_label("Filter candidates")
    expect(box).to_be_focused()
    assert box.evaluate("field => field.selectionStart") == 15
    shoot(page, "table-problem")


def test_a_column_is_found_among_all_keys_and_picked(table):
    page = table("?column=metrics.loss")
    page.get_by_role("button", name="Columns").click()
    wanted = page.get_by_role("checkbox", name=MANY[-1], exact=True)
    expect(wanted).to_have_count(0)
    page.get_by_label("Search all keys").fill("119/NORM")
    wanted.check()
    page.get_by_label("Search all keys").fill("loss")
    page.get_by_role("checkbox", name="min of loss").check()
    expect(wanted).to_be_checked()
    shoot(page, "table-columns")
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="min(loss)")).to_be_visible()
    shown = headings(page)[6:]
    assert sorted(shown) == sorted(["loss", "min(loss)", MANY[-1]])
    page.goto(page.url + "&order_by=start_time")
    cells = dict(zip(shown, page.locator("table.candidates tbody tr").first.locator("td").all_inner_texts()[5:]))
    assert cells == {"loss": "2", "min(loss)": "1", MANY[-1]: "0.5"}


def test_a_running_candidate_is_followed_and_what_is_chosen_stays(table, site):
    native = Native(site.url, site.token)
    made = native.call("POST", f"/projects/1/experiments/{site.experiment}/candidates", {"name": "running one"})["iid"]
    page = table("?column=metrics.loss&column=params.solver")
    row = page.locator(f'tr[data-candidate="{made}"]')
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    row.get_by_role("checkbox").check()
    page.get_by_role("checkbox", name=f"Compare trial-{CANDIDATES - 1:04}").check()
    expect(compare).to_have_text("Compare2")
    expect(compare).to_be_enabled()
    row.evaluate("row => { row.isTheSame = true; }")
    native.call("POST", f"/projects/1/candidates/{made}/log", {"metrics": [point("loss", 0.125)]})
    expect(row.get_by_text("0.125")).to_be_visible(timeout=20_000)
    later = native.call("POST", f"/projects/1/experiments/{site.experiment}/candidates", {"name": "a later one"})["iid"]
    expect(page.locator("tbody tr").first).to_have_attribute("data-candidate", str(later), timeout=20_000)
    assert row.evaluate("row => row.isTheSame") is True
    expect(row.get_by_role("checkbox")).to_be_checked()
    shoot(page, "table-live")
    for one in (made, later):
        native.call("PATCH", f"/projects/1/candidates/{one}", {"status": "finished"})
    expect(page.locator("#candidates[data-refresh]")).to_have_count(0, timeout=20_000)
    for one in (made, later):
        native.call("DELETE", f"/projects/1/candidates/{one}")


def test_what_is_chosen_is_kept_from_page_to_page(table):
    page = table("?order_by=start_time")
    page.get_by_role("checkbox", name="Compare trial-0001", exact=True).check()
    page.get_by_role("checkbox", name="Compare trial-0003", exact=True).check()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("checkbox", name="Compare trial-0100", exact=True)).to_be_visible()
    page.get_by_role("checkbox", name="Compare trial-0105", exact=True).check()
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_have_text("Compare3")
    shoot(page, "table-chosen")
    page.goto(page.url.split("?")[0] + "?order_by=start_time")
    page.get_by_role("checkbox", name="Compare trial-0003", exact=True).uncheck()
    compare.click()
    expect(page).to_have_url(re.compile(r"/compare\?candidate=\d+&candidate=\d+$"))
    for name in ("trial-0001", "trial-0105"):
        expect(page.get_by_role("columnheader", name=name).first).to_be_visible()
    page.go_back()
    expect(compare).to_have_text("Compare2")
    page.get_by_role("button", name="Unselect").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    expect(compare).to_be_disabled()
    page.reload()
    expect(compare).to_be_disabled()


def test_the_table_is_exported_as_csv(table):
    page = table("?filter=params.solver %3D 'sgd'&order_by=metrics.accuracy&column=metrics.accuracy")
    page.get_by_role("button", name="Export").click()
    shoot(page, "table-export")
    with page.expect_download() as download:
        page.get_by_role("link", name="Columns shown").click()
    assert download.value.suggested_filename == "sweep.csv"
    with Path(download.value.path()).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = [number for number in range(CANDIDATES) if number % 3 == 1]
    assert [row["name"] for row in rows] == [f"trial-{number:04}" for number in expected]
    assert [float(row["metrics.accuracy"]) for row in rows] == [number / CANDIDATES for number in expected]


def test_the_table_works_without_scripts(table):
    page = table(java_script_enabled=False)
    assert len(names(page)) == 100
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="depth", exact=True).uncheck()
    page.get_by_role("button", name="Show these").click()
    assert "depth" not in headings(page)
    expect(page.get_by_role("button", name="Compare")).to_be_enabled()


def test_the_table_is_readable_in_the_dark(table):
    page = table("?column=metrics.accuracy&column=max(metrics.loss)&column=params.solver", color_scheme="dark")
    shoot(page, "table-dark")
    page.get_by_role("button", name="Columns").click()
    shoot(page, "table-columns-dark")
    expect(page.get_by_role("dialog").or_(page.locator("#columns"))).to_be_visible()
