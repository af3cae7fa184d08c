//! The charts of a candidate: the page, the points that its script fetches, and pictures for readers without scripts.

use std::num::NonZeroUsize;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use modelry_core::ids::CandidateId;
use modelry_core::points::Point;
use modelry_core::{Error, Result};
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::{Json, Path, Query};
use modelry_store::candidates::{self, LatestMetric};
use modelry_store::keys;
use modelry_store::metrics::{Sample, history, sample};
use serde::{Deserialize, Serialize};

use super::candidate::{Seen, candidate_href};
use crate::answer::{Answer, Page, Shown};
use crate::format;
use crate::links;
use crate::picture;
use crate::views::candidate::Tab;
use crate::views::charts::{Axis, Chart, ChartsPage, Scale, choices, sections};
use crate::visit::Visit;

/// How many points a chart is drawn from.
const CHART_POINTS: NonZeroUsize = NonZeroUsize::new(2_000).expect("not zero");

/// How many points a picture is drawn from.
const PICTURE_POINTS: NonZeroUsize = NonZeroUsize::new(400).expect("not zero");

/// Which metric.
#[derive(Deserialize)]
pub(crate) struct MetricQuery {
    key: String,
}

/// The points of a metric, column by column.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Points {
    steps: Vec<i64>,
    times: Vec<i64>,
    values: Vec<Value>,
    is_sampled: bool,
}

/// A value as JSON can say it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Word(&'static str),
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        match value {
            _ if value.is_nan() => Self::Word("NaN"),
            _ if format::is_infinite(value) && value > 0.0 => Self::Word("Infinity"),
            _ if format::is_infinite(value) => Self::Word("-Infinity"),
            _ => Self::Number(value),
        }
    }
}

/// What a chart is drawn from, by step.
struct Drawn {
    points: Vec<Point>,
    /// Whether there are more points than these.
    is_sampled: bool,
}

impl From<Drawn> for Points {
    fn from(drawn: Drawn) -> Self {
        let points = drawn.points;
        Self {
            steps: points.iter().map(Point::step).collect(),
            times: points.iter().map(Point::timestamp).collect(),
            values: points.iter().map(|point| point.value().into()).collect(),
            is_sampled: drawn.is_sampled,
        }
    }
}

/// The page with a chart for each metric; the points are fetched as each comes into sight.
pub(super) async fn charts_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: CandidateId,
    (x, y): (&str, &str),
) -> Result<Response> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let read = app.db.read(move |tx| {
        let logged = candidates::logged(tx, &keys, project, &[id])?.remove(&id).unwrap_or_default();
        Ok((Seen::read(tx, project, id)?, logged.metrics))
    });
    let (seen, metrics) = read.await?;
    let href = candidate_href(granted, id);
    let (x, y) = (Axis::from_url(x), Scale::from_url(y));
    let (axes, scales) = choices(&href, x, y);
    let page = ChartsPage {
        shell: seen.shell(granted, visit),
        head: seen.head(granted, visit, Tab::Charts),
        x,
        y,
        axes,
        scales,
        sections: sections(metrics.iter().map(|metric| chart(&href, metric)).collect()),
    };
    Ok(Page(page).into_response())
}

fn chart(href: &str, metric: &LatestMetric) -> Chart {
    let of_metric = |what: &str| links::with_query(&format!("{href}/{what}"), [("key", &*metric.key)]);
    Chart {
        key: metric.key.to_string(),
        label: metric.key.to_string(),
        latest: format::number(metric.value),
        points_href: of_metric("points"),
        picture_href: of_metric("picture"),
    }
}

/// The points of one metric, for the page's script.
pub(crate) async fn read_points(
    State(app): State<App>,
    granted: Granted,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<MetricQuery>>,
) -> Answer<Json<Points>> {
    let drawn = drawn(&app, &granted, CandidateId(id), query.key, CHART_POINTS).await?;
    Ok(Json(drawn.into()))
}

/// One metric as a picture.
pub(crate) async fn draw_picture(
    State(app): State<App>,
    granted: Granted,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<MetricQuery>>,
) -> Answer<Response> {
    let drawn = drawn(&app, &granted, CandidateId(id), query.key, PICTURE_POINTS).await?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], picture::draw(&drawn.points)).into_response())
}

/// All points of a metric where they are at most `most`, else a sample of them.
async fn drawn(
    app: &App,
    granted: &Granted,
    id: CandidateId,
    key: String,
    most: NonZeroUsize,
) -> Result<Drawn> {
    let project = granted.project();
    let read = app.db.read(move |tx| {
        let candidate = candidates::find(tx, project, id)?
            .ok_or_else(|| Error::not_found(format!("there is no candidate {id} in this project")))?;
        let Some(key) = keys::find(tx, project, &key)? else {
            return Ok(Drawn { points: Vec::new(), is_sampled: false });
        };
        let place = candidate.place(project);
        let page = history(tx, place, key, None, most)?;
        if page.next.is_some() {
            let points = sample(tx, place, key, Sample::of_all(most.get()))?;
            return Ok(Drawn { points, is_sampled: true });
        }
        let mut points = page.points;
        points.sort_unstable_by_key(|point| (point.step(), point.position()));
        Ok(Drawn { points, is_sampled: false })
    });
    read.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_json_has_no_number_for_are_words() {
        let points = [0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let points = points.map(|value| Point::new(1_000, 7, value)).to_vec();
        let json =
            serde_json::to_string(&Points::from(Drawn { points, is_sampled: false })).expect("plain JSON");
        assert_eq!(
            json,
            r#"{"steps":[7,7,7,7],"times":[1000,1000,1000,1000],"values":[0.5,"NaN","Infinity","-Infinity"],"is_sampled":false}"#
        );
    }
}
