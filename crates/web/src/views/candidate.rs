//! One candidate: its overview and its metadata. Charts and artifacts have files of their own.

use askama::Template;

use crate::format::Moment;
use crate::parts::{Snippet, Status};
use crate::shell::Shell;
use crate::views::Pair;
use crate::views::models::State;
use crate::views::table::Number;

/// What stands above every part of a candidate's page.
#[derive(Clone, Debug)]
pub struct CandidateHead {
    /// Its name.
    pub name: String,
    /// Its number in the project.
    pub iid: i64,
    /// Its page.
    pub href: String,
    /// Where it stands.
    pub status: Status,
    /// Whether it lies in the bin.
    pub is_deleted: bool,
    /// The experiment's name.
    pub experiment: String,
    /// The experiment's page.
    pub experiment_href: String,
    /// When it was started.
    pub started: Moment,
    /// Who started it.
    pub user: Option<String>,
    /// Where a version is made from it; `None` where the reader may not.
    pub promote_href: Option<String>,
    /// The part that is shown.
    pub tab: Tab,
}

/// A part of a candidate's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Metrics, parameters and details.
    Overview,
    /// A chart per metric.
    Charts,
    /// Files and logged models.
    Artifacts,
    /// Keys and values.
    Metadata,
}

impl Tab {
    /// Every part, in order.
    pub const ALL: [Self; 4] = [Self::Overview, Self::Charts, Self::Artifacts, Self::Metadata];

    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Charts => "Charts",
            Self::Artifacts => "Artifacts",
            Self::Metadata => "Metadata",
        }
    }

    /// What follows the candidate's page in the URL of this part.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Charts => "?tab=charts",
            Self::Artifacts => "/artifacts",
            Self::Metadata => "?tab=metadata",
        }
    }
}

/// `/:full_path/-/ml/candidates/:iid`.
#[derive(Clone, Debug, Template)]
#[template(path = "candidate/overview.html")]
pub struct OverviewPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: CandidateHead,
    /// What the client's note says; may be empty.
    pub description: String,
    /// The 32 digits that clients know it by.
    pub run_id: String,
    /// When it ended.
    pub ended: Option<Moment>,
    /// How long it ran, or has been running.
    pub duration: Option<String>,
    /// The program that made it.
    pub source: Option<String>,
    /// The commit of that program.
    pub commit: Option<String>,
    /// The candidate that it is nested in.
    pub parent: Option<Parent>,
    /// The metrics.
    pub metrics: Vec<MetricRow>,
    /// The parameters.
    pub params: Vec<Pair>,
    /// The models it produced.
    pub models: Vec<ModelBrief>,
    /// The versions that were made from it.
    pub versions: Vec<VersionBrief>,
    /// The data sets it used.
    pub datasets: Vec<DatasetRow>,
    /// Code that reads it back.
    pub read_back: Snippet,
}

/// The candidate that another one is nested in.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
}

/// One metric, summed up.
#[derive(Clone, Debug)]
pub struct MetricRow {
    /// Its key.
    pub key: String,
    /// The value of the greatest step.
    pub latest: Number,
    /// The smallest value that is a number.
    pub min: Number,
    /// The largest value that is a number.
    pub max: Number,
    /// The greatest step.
    pub step: i64,
}

/// A model that the candidate produced.
#[derive(Clone, Debug)]
pub struct ModelBrief {
    /// Its name.
    pub name: String,
    /// Where its files are shown.
    pub href: String,
    /// What kind it is, or how far it got: `sklearn, 1.2 MB`.
    pub note: String,
}

/// A version that was made from the candidate.
#[derive(Clone, Debug)]
pub struct VersionBrief {
    /// `churn 1.2.0 (#2)`.
    pub label: String,
    /// Its page.
    pub href: String,
    /// Draft or published.
    pub state: State,
}

/// A data set that the candidate used.
#[derive(Clone, Debug)]
pub struct DatasetRow {
    /// Its name.
    pub name: String,
    /// The client's digest of it.
    pub digest: String,
    /// What it was used for: `training`.
    pub context: Option<String>,
    /// Where it comes from: `local`, `s3`.
    pub source_type: String,
    /// Its size: `569 rows, 31 columns`.
    pub profile: Option<String>,
    /// Its columns, as the client wrote them.
    pub schema: Option<String>,
}

/// `/:full_path/-/ml/candidates/:iid?tab=metadata`.
#[derive(Clone, Debug, Template)]
#[template(path = "candidate/metadata.html")]
pub struct MetadataPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: CandidateHead,
    /// What people set.
    pub own: Vec<Pair>,
    /// What the client set by itself: keys that begin with `mlflow.`.
    pub client: Vec<Pair>,
}

/// Code that reads a candidate back.
pub fn read_back(run_id: &str) -> Snippet {
    let code = format!(
        "import mlflow\n\nrun = mlflow.get_run(\"{run_id}\")\nprint(run.data.params, run.data.metrics)\n"
    );
    Snippet { label: "Read it back".to_owned(), code }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::shell::{Crumb, Section};
    use crate::views::testing::{check, minutes_ago, project_shell};
    use modelry_core::status::CandidateStatus;

    const RUN_ID: &str = "4f1d2a90c3b74e57a8e0c1d2b3a4f5e6";

    pub(crate) fn shell() -> Shell {
        let mut shell = project_shell("calm-heron-11", Section::Experiments);
        shell.crumbs.insert(1, Crumb::link("Model experiments", "/research/churn/-/ml/experiments"));
        shell.crumbs.insert(2, Crumb::link("gradient boosting", "/research/churn/-/ml/experiments/3"));
        shell
    }

    pub(crate) fn head(tab: Tab) -> CandidateHead {
        CandidateHead {
            name: "calm-heron-11".to_owned(),
            iid: 12,
            href: "/research/churn/-/ml/candidates/12".to_owned(),
            status: Status(CandidateStatus::Finished),
            is_deleted: false,
            experiment: "gradient boosting".to_owned(),
            experiment_href: "/research/churn/-/ml/experiments/3".to_owned(),
            started: minutes_ago(61),
            user: Some("ada".to_owned()),
            promote_href: Some("/research/churn/-/ml/candidates/12/promote".to_owned()),
            tab,
        }
    }

    fn pair(key: &str, value: &str) -> Pair {
        Pair { key: key.to_owned(), value: value.to_owned() }
    }

    fn sample() -> OverviewPage {
        let metric = |key: &str, latest: f64, min: f64, max: f64| MetricRow {
            key: key.to_owned(),
            latest: latest.into(),
            min: min.into(),
            max: max.into(),
            step: 400,
        };
        OverviewPage {
            shell: shell(),
            head: head(Tab::Overview),
            description: "Same as 11, with the calls of last month as a feature.".to_owned(),
            run_id: RUN_ID.to_owned(),
            ended: Some(minutes_ago(34)),
            duration: Some("27 min 12 s".to_owned()),
            source: Some("train.py".to_owned()),
            commit: Some("9fceb02d0ae598e95dc970b74767f19372d61af8".to_owned()),
            parent: Some(Parent {
                name: "sweep".to_owned(),
                href: "/research/churn/-/ml/candidates/11".to_owned(),
            }),
            metrics: vec![
                metric("train/loss", 0.012_345_67, 0.012, 0.693),
                metric("val/auc", 0.934_211, 0.5, 0.936),
                metric("val/loss", f64::NAN, 0.21, f64::INFINITY),
            ],
            params: vec![
                pair("learning_rate", "0.05"),
                pair("max_depth", "6"),
                pair("features", &"tenure,plan,region,calls_last_month,".repeat(8)),
            ],
            models: vec![ModelBrief {
                name: "model".to_owned(),
                href: "/research/churn/-/ml/candidates/12/artifacts/models/model".to_owned(),
                note: "sklearn, python_function · 1.20 MB".to_owned(),
            }],
            versions: vec![VersionBrief {
                label: "churn 1.2.0 (#2)".to_owned(),
                href: "/research/churn/-/ml/models/3/versions/2".to_owned(),
                state: State::Published,
            }],
            datasets: vec![DatasetRow {
                name: "customers".to_owned(),
                digest: "a1b2c3d4".to_owned(),
                context: Some("training".to_owned()),
                source_type: "local".to_owned(),
                profile: Some("569 rows, 17,639 elements".to_owned()),
                schema: Some("age: long\ntenure: double\nplan: string".to_owned()),
            }],
            read_back: read_back(RUN_ID),
        }
    }

    #[test]
    fn the_overview_shows_latest_min_and_max_of_each_metric() {
        let html = sample().to_string();
        check("candidate", &html);
        assert!(html.contains(r#"<td class="number"><span title="0.934211">0.934211</span></td>"#));
        assert!(html.contains(r#"<td class="number"><span title="NaN">NaN</span></td>"#));
    }

    #[test]
    fn the_overview_of_a_candidate_that_logged_nothing_says_so() {
        let page = OverviewPage {
            head: CandidateHead {
                status: Status(CandidateStatus::Running),
                is_deleted: true,
                ..head(Tab::Overview)
            },
            description: String::new(),
            ended: None,
            duration: None,
            source: None,
            commit: None,
            parent: None,
            metrics: Vec::new(),
            params: Vec::new(),
            models: Vec::new(),
            versions: Vec::new(),
            datasets: Vec::new(),
            ..sample()
        };
        let html = page.to_string();
        check("candidate_bare", &html);
        assert!(html.contains("still running"));
        assert!(html.contains("Deleted"));
    }

    #[test]
    fn the_clients_metadata_is_folded_away() {
        let page = MetadataPage {
            shell: shell(),
            head: head(Tab::Metadata),
            own: vec![pair("team", "growth"), pair("note", "two\nlines")],
            client: vec![pair("mlflow.source.name", "train.py"), pair("mlflow.user", "ada")],
        };
        let html = page.to_string();
        check("candidate_metadata", &html);
        let fold = html.find("Set by the client").expect("the fold has a title");
        assert!(html.find("mlflow.source.name").expect("the key stands there") > fold);
        assert!(html.find("growth").expect("the value stands there") < fold);
    }
}
