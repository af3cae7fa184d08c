//! Charts of metrics: how an address says to see them, and pictures for readers without scripts.

use std::num::NonZeroUsize;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use modelry_core::ids::{CandidateId, ProjectId};
use modelry_core::points::series::bucket::Bucket;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Query;
use modelry_store::candidates::{self, Candidate};
use modelry_store::keys;
use modelry_store::metrics::{Over, Series, Wanted, series};
use serde::Deserialize;

use super::candidate::{Seen, candidate_href};
use crate::answer::{Answer, Page, Shown};
use crate::format;
use crate::links;
use crate::picture;
use crate::views::Pair;
use crate::views::candidate::Tab;
use crate::views::charts::{Axis, Board, Chart, ChartsPage, Line, Scale, View, sections};
use crate::visit::{Visit, href};

/// How many candidates are seen beside each other at most.
pub(super) const MOST_CANDIDATES: usize = 20;

/// How many charts a page has at most.
const MOST_CHARTS: usize = 500;

/// How many buckets a line of a picture is drawn from.
const PICTURE_BUCKETS: NonZeroUsize = NonZeroUsize::new(240).expect("not zero");

/// The most that lines are smoothed.
const MOST_SMOOTHING: f64 = 0.99;

/// What an address says of how charts are seen. What is unknown is left to the default.
#[derive(Default, Deserialize)]
pub(crate) struct ChartQuery {
    #[serde(default)]
    x: String,
    #[serde(default)]
    x_scale: String,
    #[serde(default)]
    y: String,
    #[serde(default)]
    smoothing: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    hidden: String,
}

impl ChartQuery {
    /// What it says, for links to the same page; what it leaves to the default is empty.
    pub(super) fn pairs(&self) -> [(&'static str, &str); 7] {
        [
            ("x", &self.x),
            ("x_scale", &self.x_scale),
            ("y", &self.y),
            ("smoothing", &self.smoothing),
            ("from", &self.from),
            ("to", &self.to),
            ("hidden", &self.hidden),
        ]
    }

    fn view(&self) -> View {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let end = |text: &str| number(text).map(|_| text.to_owned()).unwrap_or_default();
        View {
            x: Axis::from_url(&self.x),
            x_scale: Scale::from_url(&self.x_scale),
            y: Scale::from_url(&self.y),
            smoothing: number(&self.smoothing).unwrap_or(0.0).clamp(0.0, MOST_SMOOTHING),
            from: end(&self.from),
            to: end(&self.to),
        }
    }
}

/// What a board of charts is made for.
pub(super) struct Subject<'a> {
    /// The candidates, a line each.
    pub(super) candidates: &'a [Candidate],
    /// The metrics, a chart each; with the latest value where there is one line.
    pub(super) metrics: Vec<(String, Option<f64>)>,
    /// The page's address without its query.
    pub(super) action: String,
    /// What of its query the board does not say itself.
    pub(super) kept: Vec<Pair>,
    /// How the charts are seen.
    pub(super) query: &'a ChartQuery,
}

/// The charts of a page; the points are fetched as each comes into sight.
pub(super) fn board(granted: &Granted, csrf: &str, subject: Subject<'_>) -> Board {
    let Subject { candidates, mut metrics, action, kept, query } = subject;
    let axes = Axis::all(metrics.iter().map(|(key, _)| key.as_str()));
    let left_out = metrics.len().saturating_sub(MOST_CHARTS);
    metrics.truncate(MOST_CHARTS);
    let chart = |(key, latest): (String, Option<f64>)| Chart {
        picture_href: picture_href(granted, candidates, &key),
        label: key.clone(),
        latest: latest.map(format::number),
        key,
    };
    Board {
        action,
        kept,
        view: query.view(),
        axes,
        series_href: format!("/api/v4/projects/{}/series", granted.project()),
        csrf: csrf.to_owned(),
        lines: candidates
            .iter()
            .enumerate()
            .map(|(index, candidate)| line(granted, index, candidate))
            .collect(),
        sections: sections(metrics.into_iter().map(chart).collect()),
        left_out,
        is_live: candidates.iter().any(|candidate| crate::parts::Status(candidate.status).is_live()),
    }
}

/// A candidate as a line.
pub(super) fn line(granted: &Granted, index: usize, candidate: &Candidate) -> Line {
    Line {
        iid: candidate.id.0,
        name: candidate.name.clone(),
        href: candidate_href(granted, candidate.id),
        index,
    }
}

fn picture_href(granted: &Granted, candidates: &[Candidate], key: &str) -> String {
    let numbers: Vec<String> = candidates.iter().map(|candidate| candidate.id.to_string()).collect();
    let numbers = numbers.iter().map(|number| ("candidate", number.as_str()));
    links::with_query(&format!("{}/-/ml/picture", href(granted)), numbers.chain([("key", key)]))
}

/// The page with a chart for each metric of a candidate.
pub(super) async fn charts_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: CandidateId,
    query: &ChartQuery,
) -> Result<Response> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let read = app.db.read(move |tx| {
        let logged = candidates::logged(tx, &keys, project, &[id])?.remove(&id).unwrap_or_default();
        Ok((Seen::read(tx, project, id)?, logged.metrics))
    });
    let (seen, metrics) = read.await?;
    let shell = seen.shell(granted, visit);
    let subject = Subject {
        candidates: std::slice::from_ref(&seen.candidate),
        metrics: metrics.iter().map(|metric| (metric.key.to_string(), Some(metric.value))).collect(),
        action: candidate_href(granted, id),
        kept: vec![Pair { key: "tab".to_owned(), value: "charts".to_owned() }],
        query,
    };
    let board = board(granted, shell.csrf(), subject);
    Ok(Page(ChartsPage { head: seen.head(granted, visit, Tab::Charts), shell, board }).into_response())
}

/// The candidates of these numbers, each once. Fails with `NotFound` where there is none, and with `Invalid` where they
/// are too many.
pub(super) fn read_candidates(
    tx: &mut Tx<'_>,
    project: ProjectId,
    numbers: &[i64],
) -> Result<Vec<Candidate>> {
    let mut ids: Vec<CandidateId> = Vec::new();
    for id in numbers.iter().map(|number| CandidateId(*number)) {
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() > MOST_CANDIDATES {
            return Err(Error::invalid(format!(
                "at most {MOST_CANDIDATES} candidates can be compared at once, and there are more in this address"
            )));
        }
    }
    let found = candidates::list(tx, project, &ids)?;
    match ids.iter().find(|id| found.iter().all(|candidate| candidate.id != **id)) {
        Some(id) => Err(Error::not_found(format!("there is no candidate {id} in this project"))),
        None => Ok(found),
    }
}

/// Which lines a picture has.
#[derive(Deserialize)]
pub(crate) struct PictureQuery {
    #[serde(default)]
    candidate: Vec<i64>,
    key: String,
}

/// One metric as a picture, over the steps.
pub(crate) async fn draw_picture(
    State(app): State<App>,
    granted: Granted,
    Shown(Query(query)): Shown<Query<PictureQuery>>,
) -> Answer<Response> {
    let project = granted.project();
    let read = app.db.read(move |tx| {
        let candidates = read_candidates(tx, project, &query.candidate)?;
        let key = keys::find(tx, project, &query.key)?;
        let mut lines = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            lines.push(match key {
                Some(key) => series(tx, candidate.place(project), key, &by_step())?,
                None => Series::Whole(Vec::new()),
            });
        }
        Ok(lines)
    });
    let lines: Vec<_> = read.await?.iter().map(outline).collect();
    Ok(([(CONTENT_TYPE, "image/svg+xml")], picture::draw(&lines)).into_response())
}

fn by_step() -> Wanted {
    Wanted { over: Over::Step, range: None, most: PICTURE_BUCKETS }
}

/// The places that a line goes through: the ends of each bucket and its extremes.
fn outline(series: &Series) -> Vec<(f64, f64)> {
    let Series::Whole(buckets) = series else { return Vec::new() };
    let through = |bucket: &Bucket<i64>| {
        let (from, to) = (whole(bucket.from()), whole(bucket.to()));
        let middle = from.midpoint(to);
        [(from, bucket.first()), (middle, bucket.min()), (middle, bucket.max()), (to, bucket.last())]
    };
    let mut places: Vec<(f64, f64)> =
        buckets.iter().flat_map(through).filter_map(|(x, y)| Some((x, y?))).collect();
    places.dedup();
    places
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture needs no more")]
fn whole(step: i64) -> f64 {
    step as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_says_that_cannot_be_is_left_out() {
        let query = |smoothing: &str, from: &str| ChartQuery {
            smoothing: smoothing.to_owned(),
            from: from.to_owned(),
            ..ChartQuery::default()
        };
        let seen = |query: ChartQuery| {
            let view = query.view();
            (view.smoothing, view.from)
        };
        assert_eq!(seen(query("0.5", "-1e3")), (0.5, "-1e3".to_owned()));
        assert_eq!(seen(query("7", "inf")), (0.99, String::new()));
        assert_eq!(seen(query("NaN", "<b>")), (0.0, String::new()));
    }
}
