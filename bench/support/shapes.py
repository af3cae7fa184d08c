"""The searches that are measured as a project grows, and how long each may take (95 of 100 of them, in milliseconds)."""

from dataclasses import dataclass

ANY_ORDER = {"SQLite": 10, "PostgreSQL": 10}
FEW_OR_MANY = {"SQLite": 40, "PostgreSQL": 40}
BY_ANOTHER = {"SQLite": 150, "PostgreSQL": 300}
ANYTHING = {"SQLite": 10_000, "PostgreSQL": 10_000}


@dataclass(frozen=True)
class Shape:
    """A search for 100 candidates with all their data."""

    name: str
    order: str | None = None
    filter: str | None = None
    bound: dict[str, int] | None = None
    # Whether a page far behind is measured too.
    paged: bool = False
    # Whether the last page is measured too, behind which those come that do not have the key.
    last: bool = False

    def body(self, experiment, page_token=None, limit=100):
        """The body of the call."""
        body = {"experiment_ids": [experiment], "max_results": limit}
        if self.order:
            body["order_by"] = [self.order]
        if self.filter:
            body["filter"] = self.filter
        if page_token:
            body["page_token"] = page_token
        return body


SHAPES = [
    Shape("no order: newest first", bound=ANY_ORDER, paged=True),
    Shape("order by start, oldest first", "attributes.start_time ASC", bound=ANY_ORDER, paged=True),
    Shape("order by a metric", "metrics.m2 DESC", bound=ANY_ORDER, paged=True, last=True),
    Shape("order by a param of 20 values", "params.p1 ASC", bound=ANY_ORDER, paged=True),
    Shape("order by a param, all different", "params.p9 ASC", bound=ANY_ORDER, paged=True),
    Shape("order by metadata of 10 values", "tags.team DESC", bound=ANY_ORDER, paged=True),
    Shape("order by name", "attributes.run_name ASC", bound=ANY_ORDER, paged=True),
    Shape("order by end", "attributes.end_time DESC", bound=ANY_ORDER, paged=True),
    Shape("metric in 0.01 %, order by another", "metrics.m2 DESC", "metrics.m0 > 0.9999", FEW_OR_MANY),
    Shape("metric in 1 %, order by another", "metrics.m2 DESC", "metrics.m0 > 0.99", FEW_OR_MANY),
    Shape("metric in 10 %, order by another", "metrics.m2 DESC", "metrics.m0 > 0.9", FEW_OR_MANY),
    Shape("metric in 50 %, order by another", "metrics.m2 DESC", "metrics.m0 > 0.5", FEW_OR_MANY),
    Shape("param in 0.01 %, order by a metric", "metrics.m2 DESC", "params.p8 = '77'", FEW_OR_MANY),
    Shape("param in 50 %, order by a metric", "metrics.m2 DESC", "params.p0 = '1'", FEW_OR_MANY),
    Shape("metric in 10 % and param in 5 %, order by another", "metrics.m2 DESC",
          "metrics.m0 > 0.9 AND params.p1 = '7'", BY_ANOTHER),
    Shape("metric in 1 %, order by what is low where it is high", "metrics.m9 DESC", "metrics.m8 > 0.99", FEW_OR_MANY),
    Shape("metric in 1 %, spread over the half that comes last", "metrics.m9 DESC", "metrics.m7 > 0.98", FEW_OR_MANY),
    Shape("metric in 1.95 %, spread over the half that comes last", "metrics.m9 DESC", "metrics.m7 > 0.961", FEW_OR_MANY),
    Shape("metric in 1 %, newest first", None, "metrics.m0 > 0.99", FEW_OR_MANY),
    Shape("metric in 1 %, order by name", "attributes.run_name ASC", "metrics.m0 > 0.99", FEW_OR_MANY),
    Shape("metric in 1 %, order by a param of 20 values", "params.p1 ASC", "metrics.m0 > 0.99", FEW_OR_MANY),
    Shape("status of 1 %, newest first", None, "attributes.status = 'FAILED'", FEW_OR_MANY),
    Shape("status of 1 %, order by a metric", "metrics.m2 DESC", "attributes.status = 'FAILED'", FEW_OR_MANY),
    Shape("status of 1 % and metric in 50 %, newest first", None, "attributes.status = 'FAILED' AND metrics.m0 > 0.5",
          FEW_OR_MANY),
    Shape("two halves that have nothing in common", "metrics.m2 DESC", "metrics.m8 > 0.5 AND metrics.m9 > 0.5", ANYTHING),
    Shape("NOT of 90 %", "metrics.m2 DESC", "NOT metrics.m0 > 0.1", ANYTHING),
    Shape("NOT of all but 0.01 %", "metrics.m2 DESC", "NOT metrics.m0 > 0.0001", ANYTHING),
    Shape("OR of 0.01 % and 0.01 %", "metrics.m2 DESC", "metrics.m0 > 0.9999 OR metrics.m1 > 0.9999", ANYTHING),
    Shape("OR of 10 % and 5 %", "metrics.m2 DESC", "metrics.m0 > 0.9 OR params.p1 = '7'", ANYTHING),
    Shape("LIKE on a param", "metrics.m2 DESC", "params.p8 LIKE '%999%'", ANYTHING),
]
