"""The rows of the comparison: what each measures, on which servers, and what Modelry has to reach."""

from collections.abc import Callable
from dataclasses import dataclass

from . import load
from .load import Call
from .prepare import HISTORY, Place, pages

PEERS = ("MLflow", "FastTrackML")
ALL = (*PEERS, "Modelry")
AGAINST_MLFLOW = ("MLflow", "Modelry")
ALONE = ("Modelry",)


@dataclass(frozen=True)
class Bar:
    """What the ratio of Modelry to a peer has to be: at least `factor`, or at most where less is better."""

    peer: str
    factor: float
    at_least: bool

    def __str__(self):
        return f"{'>=' if self.at_least else '<='} {self.factor:g}x {self.peer}"

    def is_met(self, ratio):
        """Whether a ratio reaches it."""
        return ratio >= self.factor if self.at_least else ratio <= self.factor


@dataclass(frozen=True)
class Row:
    """A row of the table: `measure` takes a place and how long to measure, and answers a figure."""

    key: str
    name: str
    measure: Callable[[Place, float], float]
    servers: tuple[str, ...] = ALL
    bar: Bar | None = None


def faster(factor, peer="FastTrackML"):
    """So many times the peer's rate."""
    return Bar(peer, factor, at_least=True)


def shorter(factor, peer="FastTrackML"):
    """At most so much of the peer's time."""
    return Bar(peer, factor, at_least=False)


def rate(call, of_each=1):
    """How many of a write, or of what is in it, a second has over many connections."""
    return lambda place, seconds: of_each * load.write(
        place.server, call, seconds, place.written, place.runs).rate


def latency(calls):
    """The median time of calls over one connection."""
    return lambda place, seconds: load.replay(place.server, calls(place), seconds).p50


def whole(calls):
    """The time of all of these calls, one after the other."""
    return lambda place, seconds: load.turns(place.server, calls(place), seconds)


def get_run(place):
    return [Call("GET", f"runs/get?run_id={run}") for run in place.runs.read_text().split()]


def search(place, page_token=None, **wishes):
    """A search among the runs that have data."""
    token = {"page_token": page_token} if page_token else {}
    return Call("POST", "runs/search", {"experiment_ids": [place.searched], "max_results": 100, **wishes, **token})


def filtered(place):
    wishes = {"filter": "metrics.m0 > 0.9 and params.p1 = '7'", "order_by": ["metrics.m2 DESC"]}
    return [search(place, **wishes)]


def first_page(place):
    return [search(place, order_by=["metrics.m2 DESC"])]


def ten_pages(place):
    def page(token):
        return search(place, token, order_by=["metrics.m2 DESC"])

    return place.once("ten pages", lambda: pages(place.server, page, 10))


def whole_history(place):
    path = f"metrics/get-history?run_id={place.long_run}&metric_key=loss&max_results=25000"

    def page(token):
        return Call("GET", f"{path}&page_token={token}" if token else path)

    return place.once("history", lambda: pages(place.server, page, HISTORY // 25_000))


def upload(place, _seconds):
    place.change_file()
    return load.transfer(place.server, place.artifact, place.file, upload=True)


def download(place, _seconds):
    return load.transfer(place.server, place.artifact, place.file, upload=False)


def resolve(_place):
    return [Call("POST", "registered-models/get-latest-versions", {"name": "versions", "stages": ["^1"]})]


def search_versions(_place):
    return [Call("GET", "model-versions/search?max_results=100&filter=name%3D%27versions%27")]


TRACKING = [
    Row("create", "create run, 16 connections, /s", rate("create_run"), bar=faster(5)),
    Row("log-metric", "log-metric, 16 connections, /s", rate("log_metric"), bar=faster(10)),
    Row("log-batch", "log-batch of 100 over 10 keys, points/s", rate("log_batch", 100), bar=faster(10)),
    Row("get", "get run, p50, ms", latency(get_run), bar=shorter(0.5)),
    Row("search", "search 2,000 runs, filter on metric and param, order by metric, p50, ms", latency(filtered),
        bar=shorter(0.25)),
    Row("page", "search, order by metric, first 100 of 2,000 with all data, p50, ms", latency(first_page),
        bar=shorter(0.15)),
    Row("ten-pages", "ten such pages, ms", whole(ten_pages), bar=shorter(0.15)),
    Row("history", "history of 100,000 points, all, in pages of 25,000, ms", whole(whole_history), bar=shorter(0.1)),
    Row("upload", "artifact of 256 MB up, MB/s", upload, AGAINST_MLFLOW, faster(2, "MLflow")),
    Row("download", "artifact of 256 MB down, MB/s", download, AGAINST_MLFLOW, faster(5, "MLflow")),
]

REGISTRY = [
    Row("create-model", "create model, 16 connections, /s", rate("create_model"), AGAINST_MLFLOW, faster(20, "MLflow")),
    Row("create-version", "create version, 16 connections, /s", rate("create_version"), AGAINST_MLFLOW,
        faster(20, "MLflow")),
    Row("resolve", "resolve `^1` among 10,000 versions, p50, ms", latency(resolve), ALONE),
    Row("search-versions", "search, first 100 of 10,000 versions, p50, ms", latency(search_versions), ALONE),
]

KEYS = [row.key for row in TRACKING + REGISTRY]
