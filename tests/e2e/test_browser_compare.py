"""People comparing candidates: charts that zoom on the server, in a real browser against the real binary."""

import json
import math
import random

import pytest
from playwright.sync_api import expect
from support.browser import shoot
from support.native import Native

pytestmark = pytest.mark.modelry_only("these are Modelry's pages")

PROJECT = "/root/playground"
COMPARE = f"{PROJECT}/-/ml/experiments/0/compare"
POINTS = 20_000
SPIKE = 12_345
NAMES = ["steady-heron", "eager-lynx", "calm-otter"]


@pytest.fixture(scope="module")
def site(fresh):
    """A server with three candidates of 20,000 points each; the second one has a spike, and gradients that burst."""
    server = fresh().start()
    native = Native(server.url, server.token)
    for number, name in enumerate(NAMES):
        log(native, number, name)
    return server


def log(native, number, name):
    experiment = "/projects/root%2Fplayground/experiments/0/candidates"
    params = {"depth": str(4 + number), "seed": "1"}
    made = native.call("POST", experiment, {"name": name, "params": params, "metadata": {"team": "growth"}})
    path = f"/projects/root%2Fplayground/candidates/{made['iid']}"
    noise = random.Random(number)
    for start in range(0, POINTS, 500):
        metrics = []
        for step in range(start, start + 500):
            at = {"step": step, "timestamp": 1_700_000_000_000 + step * 250}
            loss = 2 * math.exp(-step / (3_000 + 1_500 * number)) + 0.1 + noise.gauss(0, 0.04)
            spike = number == 1 and step == SPIKE
            metrics.append({"key": "loss", "value": 9 if spike else loss, **at})
            metrics.append({"key": "epoch", "value": step // 100, **at})
        native.call("POST", f"{path}/log", {"metrics": metrics})
    odd = ["NaN", "Infinity", "-Infinity"] if number == 1 else [0.5, 0.4, 0.3]
    gradients = [{"key": "gradient", "value": value, "step": n, "timestamp": n} for n, value in enumerate([1, 2, *odd, 3])]
    native.call("POST", f"{path}/log", {"metrics": gradients})
    native.call("PATCH", path, {"status": "finished", "end_time": made["start_time"] + 5_000_000})


def asked(answer):
    return json.loads(answer.request.post_data)


def is_of(key):
    return lambda answer: answer.url.endswith("/series") and asked(answer)["keys"] == [key]


def spiked(answer):
    """The bucket of the second candidate that has the spike, as its ends."""
    [second] = [one for one in answer.json()["series"] if one["candidate"] == 2]
    buckets = second["buckets"]
    [index] = [index for index, value in enumerate(buckets["max"]) if value == 9]
    return buckets["from"][index], buckets["to"][index]


def drag(page, key, start, end):
    """Drags over the chart of a key, between shares of its width."""
    box = page.locator(f'[data-chart="{key}"] .plot').bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, middle)
    page.mouse.move(box["x"] + box["width"] * end, middle)
    page.mouse.up()


def open_comparison(visit, query="candidate=1&candidate=2&candidate=3", **options):
    """The comparison, with the answer that its first chart of losses was drawn from."""
    page = visit(PROJECT, **options)
    with page.expect_response(is_of("loss")) as answer:
        page.goto(f"{COMPARE}?{query}")
        page.locator('[data-chart="loss"]').scroll_into_view_if_needed()
    expect(page.locator('[data-chart="loss"] canvas').first).to_be_visible()
    return page, answer.value


def test_dragging_over_a_chart_reads_finer_buckets_and_keeps_the_spike(visit):
    page, whole = open_comparison(visit)
    start, end = spiked(whole)
    with page.expect_response(is_of("loss")) as zoomed:
        drag(page, "loss", 0.58, 0.68)
    seen = asked(zoomed.value)["range"]
    assert 0 < seen["from"] < SPIKE < seen["to"] < POINTS
    finer_start, finer_end = spiked(zoomed.value)
    assert start <= finer_start <= SPIKE <= finer_end <= end
    assert finer_end - finer_start < (end - start) / 4
    assert f"from={seen['from']}" in page.url
    with page.expect_response(is_of("loss")) as again:
        page.reload()
    assert asked(again.value)["range"] == seen
    with page.expect_response(is_of("loss")) as back:
        page.get_by_role("button", name="Show all").click()
    assert asked(back.value)["range"] is None
    assert "from=" not in page.url


def test_the_keyboard_chooses_axis_range_and_smoothing(visit):
    page, _ = open_comparison(visit)
    with page.expect_response(is_of("loss")) as answer:
        page.get_by_label("Over").select_option("epoch")
    assert asked(answer.value)["x"] == {"metric": "epoch"}
    assert answer.value.json()["series"][0]["buckets"]["count"][0] == 100
    page.get_by_label("From").fill("50")
    with page.expect_response(is_of("loss")) as answer:
        page.get_by_label("From").press("Enter")
    assert answer.value.json()["series"][0]["buckets"]["from"][0] == 50
    page.get_by_label("Smoothing").focus()
    page.keyboard.press("End")
    page.get_by_label("Spacing of the values").select_option("log")
    for part in ["x=metric%3Aepoch", "from=50", "smoothing=0.99", "y=log"]:
        assert part in page.url


def test_a_candidate_is_hidden_and_the_address_remembers_it(visit):
    page, _ = open_comparison(visit)
    box = page.get_by_role("checkbox", name="eager-lynx")
    box.uncheck()
    assert "hidden=2" in page.url
    page.reload()
    expect(box).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="calm-otter")).to_be_checked()


def test_what_is_not_a_number_is_told_beneath_the_chart(visit):
    page, _ = open_comparison(visit)
    page.locator('[data-chart="gradient"]').scroll_into_view_if_needed()
    expect(page.locator('[data-chart="gradient"] .chart-note')).to_contain_text("3 not a finite number, marked ◆.")


def test_the_chart_of_one_candidate_zooms_too(visit):
    page = visit(PROJECT)
    with page.expect_response(is_of("loss")):
        page.goto(f"{PROJECT}/-/ml/candidates/2?tab=charts&smoothing=0.9")
    with page.expect_response(is_of("loss")) as zoomed:
        drag(page, "loss", 0.5, 0.8)
    assert asked(zoomed.value)["candidates"] == [2]
    spiked(zoomed.value)


def test_without_scripts_the_comparison_is_tables_and_pictures(visit):
    page = visit(f"{COMPARE}?candidate=1&candidate=2", java_script_enabled=False)
    expect(page.get_by_role("img", name="loss over the steps")).to_be_visible()
    page.get_by_role("link", name="Only differences").click()
    expect(page.get_by_role("rowheader", name="depth")).to_be_visible()
    expect(page.get_by_role("rowheader", name="seed")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_comparison_is_looked_at(visit, scheme):
    page, _ = open_comparison(visit, "candidate=1&candidate=2&candidate=3&smoothing=0.6", color_scheme=scheme)
    page.locator('[data-chart="loss"] .plot').hover()
    expect(page.locator(".tip").first).to_be_visible()
    shoot(page, f"compare-candidates-{scheme}")
