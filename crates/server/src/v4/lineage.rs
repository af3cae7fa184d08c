//! Lineage: what a thing comes from, and what came of it.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use modelry_core::lineage::{Direction, Door, Edge, Node, NodeKind, NodeName, Pull, Relation, Step, Walk};
use modelry_core::policy::Action;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::lineage::{self, Description, Look};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{self, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Query};

/// How many edges away a walk goes when the request does not say.
const USUAL_DEPTH: i64 = 3;
/// How many edges away it goes at most.
const MOST_DEPTH: i64 = 10;

/// How many edges a walk follows at most.
const MOST_EDGES: usize = 10_000;

/// How many nodes are read in one transaction.
const NODES_PER_READ: usize = 16;

/// Which lineage to tell.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GetLineage {
    /// Where to start: `dataset:<number>`, `candidate:<number or run id>`, `logged_model:m-<32 hex digits>`,
    /// `version:<number>`, `version:<model>/<version>`, `commit:<hash>`, `source:<address>`, `token:<number>`,
    /// `user:<number>` or `user:anonymous`.
    node: String,
    /// `up` to what it comes from, `down` to what came of it.
    direction: String,
    /// How many edges away things may be, 1 to 10; 3 when it is not said.
    depth: Option<i64>,
    /// How many edges a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of edges on the pages before.
    after: Option<usize>,
}

/// A page of a lineage.
#[derive(Serialize, ToSchema)]
pub(super) struct Lineage {
    /// The start, and what the edges of this page join.
    nodes: Vec<NodeView>,
    /// Edges, those nearer to the start first.
    edges: Vec<EdgeView>,
    /// Whether this is the end only because no more than 10,000 edges are followed.
    truncated: bool,
}

/// A thing that comes from others, or that others come from.
#[derive(Serialize, ToSchema)]
#[schema(as = LineageNode)]
pub(super) struct NodeView {
    /// Its name, which edges and `node` have.
    #[schema(value_type = String)]
    id: Node,
    /// `dataset`, `candidate`, `logged_model`, `version`, `commit`, `source` (what is outside of the project, or not known
    /// in it), `token` or `user`.
    #[schema(value_type = String)]
    kind: NodeKind,
    /// What people call it, such as `churn 1.2.0 (#2)`.
    label: String,
    /// Its number: in the project, or of a token or user.
    number: Option<i64>,
    /// The public id of a candidate (MLflow's run id) or logged model.
    eid: Option<String>,
    /// Its name; of a version its model's, of a token or user the username.
    name: Option<String>,
    /// The semantic version of a version.
    version: Option<String>,
    /// Whether it is in the bin.
    deleted: bool,
}

impl NodeView {
    fn new(id: Node, description: Description) -> Self {
        let Description { label, number, eid, name, version, is_deleted: deleted } = description;
        Self { kind: id.kind(), id, label, number, eid, name, version, deleted }
    }
}

/// Two things that have to do with each other.
#[derive(Serialize, ToSchema)]
#[schema(as = LineageEdge)]
pub(super) struct EdgeView {
    /// What came first.
    #[schema(value_type = String)]
    upstream: Node,
    /// `used`: downstream was made with upstream. `produced`: upstream made downstream. `registered_as`: upstream became
    /// the version downstream. `copy_of`: downstream is a copy of the version upstream. `base_model`: the card of
    /// downstream's model names upstream. `child_of`: downstream is a candidate within upstream. `pulled_by`: downstream
    /// fetched files of the version upstream.
    #[schema(value_type = String)]
    relation: Relation,
    /// What came of it.
    #[schema(value_type = String)]
    downstream: Node,
    /// Of `pulled_by`: how.
    pull: Option<PullView>,
}

impl From<Edge> for EdgeView {
    fn from(edge: Edge) -> Self {
        let Edge { upstream, relation, downstream, pull } = edge;
        Self { upstream, relation, downstream, pull: pull.map(PullView::from) }
    }
}

/// How somebody fetched files of a version through one door.
#[derive(Serialize, ToSchema)]
#[schema(as = LineagePull)]
pub(super) struct PullView {
    /// `mlflow`, `packages` (GitLab's routes), `api` or `pages`.
    #[schema(value_type = String)]
    door: Door,
    /// When the first file was fetched, in milliseconds since 1970.
    first_at: i64,
    /// When the last file was fetched, in milliseconds since 1970.
    last_at: i64,
    /// How many files were fetched, each as often as it was.
    files: i64,
}

impl From<Pull> for PullView {
    fn from(pull: Pull) -> Self {
        let Pull { door, first_at, last_at, files } = pull;
        Self { door, first_at: first_at.ms(), last_at: last_at.ms(), files }
    }
}

/// Tell what a thing comes from, or what came of it. What may not be seen is left out, and what is not known in the
/// project is told as it was sent. Who fetched files is told to members.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/lineage", tag = "lineage",
    params(("project" = String, Path, description = "Number, or URL-encoded full path"), GetLineage),
    responses(
        (
            status = 200, description = "A page of edges, and what they join", body = Lineage,
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn get_lineage(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<GetLineage>,
) -> Result<Response, Problem> {
    let (name, direction): (NodeName, Direction) = (query.node.parse()?, query.direction.parse()?);
    let (depth, size) = (depth(query.depth)?, page::length(page::size(query.per_page)?));
    let after = query.after.unwrap_or(0);
    let look = look(&granted);
    write_pulls(&app).await;
    let start = app.db.read(move |tx| lineage::find(tx, look, &name)).await?;
    let mut walk = Walk::new(start.clone(), direction, depth, MOST_EDGES);
    follow(&app, look, &mut walk, after.saturating_add(size)).await?;
    let edges: Vec<Edge> = walk.edges().iter().skip(after).take(size).cloned().collect();
    let has_next = walk.edges().len() > after.saturating_add(size);
    let place = Place { app: &app, headers: &headers, uri: &uri };
    let next = if has_next { Some(page::next_link(&place, (after + size).to_string())?) } else { None };
    let nodes = describe(&app, look, start, &edges).await?;
    let truncated = walk.is_truncated() && !has_next;
    let edges = edges.into_iter().map(EdgeView::from).collect();
    Ok(answer(Lineage { nodes, edges, truncated }, next))
}

fn depth(asked: Option<i64>) -> Result<u32> {
    let depth = asked.unwrap_or(USUAL_DEPTH);
    let fits = (1..=MOST_DEPTH).contains(&depth).then(|| u32::try_from(depth).ok()).flatten();
    fits.ok_or_else(|| Error::invalid(format!("`depth` is {depth}: it has to be 1 to {MOST_DEPTH}")))
}

fn look(granted: &Granted) -> Look {
    Look {
        project: granted.project(),
        sees_experiments: granted.access.also(Action::ReadExperiments),
        sees_pullers: granted.access.also(Action::ReadMembers),
    }
}

/// Writes down what this process counted, so that it is told. Where that fails the lineage is told without it.
async fn write_pulls(app: &App) {
    if let Err(error) = app.pulls.write().await {
        tracing::warn!(%error, "pulls could not be written down; they are kept");
    }
}

/// Follows edges until there are more than `enough`, or no more. Each read is short: a few nodes, and no more of their
/// edges than are of use.
async fn follow(app: &App, look: Look, walk: &mut Walk, enough: usize) -> Result<()> {
    while walk.edges().len() <= enough {
        let (steps, direction) = (walk.next_steps(NODES_PER_READ), walk.direction());
        if steps.is_empty() {
            break;
        }
        let most = walk.most_taken().min((enough - walk.edges().len()).saturating_add(1));
        let found = app.db.read(move |tx| read_edges(tx, look, (&steps, direction), most));
        for (step, edges) in found.await? {
            walk.take(&step, edges);
        }
    }
    Ok(())
}

/// The edges of the first of some steps, up to `most` of them all.
fn read_edges(
    tx: &mut Tx<'_>,
    look: Look,
    (steps, direction): (&[Step], Direction),
    most: usize,
) -> Result<Vec<(Step, Vec<Edge>)>> {
    let (mut found, mut left) = (Vec::with_capacity(steps.len()), most);
    for step in steps {
        if left == 0 {
            break;
        }
        let edges = lineage::neighbours(tx, look, (&step.node, direction), left)?;
        left -= edges.len();
        found.push((step.clone(), edges));
    }
    Ok(found)
}

/// The start and the ends of edges, each once, in the order in which they are come to.
async fn describe(app: &App, look: Look, start: Node, edges: &[Edge]) -> Result<Vec<NodeView>> {
    let ends = edges.iter().flat_map(|edge| [edge.upstream.clone(), edge.downstream.clone()]);
    let mut seen = HashSet::new();
    let nodes: Vec<Node> =
        std::iter::once(start).chain(ends).filter(|node| seen.insert(node.clone())).collect();
    let read = app.db.read(move |tx| {
        let view = |node: &Node| Ok(NodeView::new(node.clone(), lineage::describe(tx, look.project, node)?));
        nodes.iter().map(view).collect()
    });
    read.await
}

fn answer(lineage: Lineage, next: Option<HeaderValue>) -> Response {
    let mut response = Json(lineage).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(LINK, next);
    }
    response
}
