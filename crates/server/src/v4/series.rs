//! Metrics of candidates in buckets, for charts.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;

use axum::extract::State;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use modelry_core::ids::{KeyId, ProjectId};
use modelry_core::points::series::Range;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::Place;
use modelry_store::keys;
use modelry_store::metrics::{self, Over, Series, Wanted};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::candidate_views::get;
use super::series_views::{SeriesListView, SeriesView};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path};

/// How many series are asked for at most.
const SERIES: usize = 200;

/// How many buckets a series has when the request does not say, and at most.
const BUCKETS: (usize, usize) = (1_000, 4_000);

/// How many buckets all series have together at most: what an answer takes in memory follows from it.
const ALL_BUCKETS: usize = 200_000;

/// How many series of a request are read at once: readers are left for other requests.
const AT_ONCE: usize = 2;

/// What to read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadSeries {
    /// The candidates, by number or by public id, in the bin or not.
    candidates: Vec<CandidateName>,
    /// The keys of metrics. With each candidate they are at most 200 series.
    keys: Vec<String>,
    /// What the series run over.
    #[serde(default)]
    x: X,
    /// The part of the x axis to read; all of it when it is not said.
    range: Option<RangeBody>,
    /// The most buckets of a series, 1 to 4,000 and at most 200,000 of all series; 1,000 when it is not said.
    buckets: Option<usize>,
}

/// A candidate, by its number or its public id.
struct CandidateName(String);

impl PartialSchema for CandidateName {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer).description(Some("Its number."));
        let public_id = ObjectBuilder::new().schema_type(Type::String).description(Some("Its public id."));
        OneOfBuilder::new().item(number).item(public_id).into()
    }
}

impl ToSchema for CandidateName {
    fn name() -> Cow<'static, str> {
        "CandidateName".into()
    }
}

impl<'de> Deserialize<'de> for CandidateName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CandidateVisitor)
    }
}

struct CandidateVisitor;

impl Visitor<'_> for CandidateVisitor {
    type Value = CandidateName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a candidate, or its public id")
    }

    fn visit_u64<E>(self, number: u64) -> Result<CandidateName, E> {
        Ok(CandidateName(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<CandidateName, E> {
        Ok(CandidateName(text.to_owned()))
    }
}

/// What series run over: `"step"`, `"time"` in milliseconds since 1970, `"relative_time"` in milliseconds since the
/// candidate's first point of the key, or `{"metric": "epoch"}`, the value that another metric has for the same step.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SeriesX)]
enum X {
    #[default]
    Step,
    Time,
    RelativeTime,
    Metric(String),
}

/// A part of the x axis, ends included, in the units of x.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SeriesRange)]
struct RangeBody {
    /// The least x.
    from: f64,
    /// The greatest x.
    to: f64,
}

/// Read metrics of candidates in buckets, for charts: however many points there are, no spike is lost.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/series", tag = "series", request_body = ReadSeries,
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 200, description = "The series", body = SeriesListView))
)]
pub(super) async fn read_series(
    State(app): State<App>,
    granted: Granted,
    Path(_): Path<String>,
    Json(body): Json<ReadSeries>,
) -> Result<Json<SeriesListView>, Problem> {
    let project = granted.project();
    let most = check_size(&body)?;
    let ReadSeries { candidates, keys, x, range, .. } = body;
    let range = check_range(range)?;
    let found = app.db.read(move |tx| Found::read(tx, project, &candidates, &keys, &x));
    let Found { over, lines } = found.await?;
    let wanted = Wanted { over, range, most };
    let read = stream::iter(lines).map(|line| line.read(&app, wanted)).buffered(AT_ONCE).try_collect();
    Ok(Json(SeriesListView { series: read.await? }))
}

/// Fails with `Invalid` when the range ends before it begins.
fn check_range(range: Option<RangeBody>) -> Result<Option<Range<f64>>> {
    match range {
        Some(RangeBody { from, to }) if from > to => {
            Err(Error::invalid(format!("the range ends at {to}, before it begins at {from}")))
        }
        range => Ok(range.map(|RangeBody { from, to }| Range { from, to })),
    }
}

/// How many buckets a series may have. Fails with `Invalid` when too much is asked for, or nothing.
fn check_size(body: &ReadSeries) -> Result<NonZeroUsize> {
    let (candidates, keys) = (body.candidates.len(), body.keys.len());
    let series = candidates.saturating_mul(keys);
    if series == 0 {
        return Err(Error::invalid("a series needs at least one candidate and one key"));
    }
    if series > SERIES {
        return Err(Error::invalid(format!(
            "{candidates} candidates with {keys} keys are {series} series: at most {SERIES} are read at once"
        )));
    }
    let (default, most) = BUCKETS;
    let buckets = body.buckets.unwrap_or(default);
    if buckets > most {
        return Err(Error::invalid(format!("buckets is {buckets}: it must be 1 to {most}")));
    }
    if series * buckets > ALL_BUCKETS {
        return Err(Error::invalid(format!(
            "{series} series of {buckets} buckets are {}: at most {ALL_BUCKETS} are read at once",
            series * buckets
        )));
    }
    NonZeroUsize::new(buckets).ok_or_else(|| Error::invalid(format!("buckets is 0: it must be 1 to {most}")))
}

/// What a request names, found.
struct Found {
    over: Over,
    lines: Vec<Line>,
}

/// A series to be read.
struct Line {
    place: Place,
    run_id: String,
    name: String,
    /// Nothing where no candidate of the project has the key.
    key: Option<KeyId>,
}

impl Found {
    /// Fails with `NotFound` when the project has no such candidate.
    fn read(
        tx: &mut Tx<'_>,
        project: ProjectId,
        candidates: &[CandidateName],
        names: &[String],
        x: &X,
    ) -> Result<Self> {
        let over = match x {
            X::Step => Over::Step,
            X::Time => Over::Time,
            X::RelativeTime => Over::RelativeTime,
            X::Metric(name) => Over::Metric(keys::find(tx, project, name)?),
        };
        let mut lines = Vec::with_capacity(candidates.len() * names.len());
        for CandidateName(text) in candidates {
            let candidate = get(tx, project, text)?;
            for name in names {
                lines.push(Line {
                    place: candidate.place(project),
                    run_id: candidate.eid.clone(),
                    name: name.clone(),
                    key: keys::find(tx, project, name)?,
                });
            }
        }
        Ok(Self { over, lines })
    }
}

impl Line {
    /// Reads it in a transaction of its own: together they may take long.
    async fn read(self, app: &App, wanted: Wanted) -> Result<SeriesView> {
        let place = self.place;
        let buckets = match self.key {
            Some(key) => app.db.read(move |tx| metrics::series(tx, place, key, &wanted)).await?,
            None => Series::Whole(Vec::new()),
        };
        Ok(SeriesView {
            candidate: place.candidate.0,
            run_id: self.run_id,
            key: self.name,
            buckets: buckets.into(),
        })
    }
}
