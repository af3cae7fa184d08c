//! Charts of metrics, of one candidate or of several beside each other.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::shell::Shell;
use crate::views::Pair;
use crate::views::candidate::CandidateHead;

/// `/:full_path/-/ml/candidates/:iid?tab=charts`.
#[derive(Clone, Debug, Template)]
#[template(path = "candidate/charts.html")]
pub struct ChartsPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: CandidateHead,
    /// The charts.
    pub board: Board,
}

/// Charts that are seen in the same way, and the form that says how.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts.html")]
pub struct Board {
    /// The page's address without its query.
    pub action: String,
    /// What the form keeps of the query, above what it says itself.
    pub kept: Vec<Pair>,
    /// How the charts are seen.
    pub view: View,
    /// The axes to choose from.
    pub axes: Vec<Axis>,
    /// Where the script reads the series.
    pub series_href: String,
    /// What the script proves with that it runs on our own page; empty where nobody is signed in.
    pub csrf: String,
    /// The candidates, a line each.
    pub lines: Vec<Line>,
    /// The charts, those with a common prefix together.
    pub sections: Vec<ChartSection>,
    /// How many more metrics have no chart.
    pub left_out: usize,
    /// Whether more may still be logged.
    pub is_live: bool,
}

impl HtmlSafe for Board {}

/// How charts are seen.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What they run over.
    pub x: Axis,
    /// How places on that axis are spaced.
    pub x_scale: Scale,
    /// How values are spaced.
    pub y: Scale,
    /// How much the lines are smoothed, from 0 to 0.99.
    pub smoothing: f64,
    /// The least x that is seen; empty for all.
    pub from: String,
    /// The greatest x that is seen; empty for all.
    pub to: String,
}

/// What a chart runs over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// The client's step.
    #[default]
    Step,
    /// Time since the first point of the metric.
    RelativeTime,
    /// The time of day.
    Time,
    /// The value of another metric at the same step.
    Metric(String),
}

/// What the value of a metric's axis starts with in a URL.
const METRIC: &str = "metric:";

impl Axis {
    /// The axis that a URL names; anything unknown is the step.
    pub fn from_url(value: &str) -> Self {
        match value {
            "relative_time" => Self::RelativeTime,
            "time" => Self::Time,
            _ => value.strip_prefix(METRIC).map_or(Self::Step, |key| Self::Metric(key.to_owned())),
        }
    }

    /// The value in the URL.
    pub fn value(&self) -> String {
        match self {
            Self::Step => "step".to_owned(),
            Self::RelativeTime => "relative_time".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Metric(key) => format!("{METRIC}{key}"),
        }
    }

    /// The word on the page.
    pub fn word(&self) -> &str {
        match self {
            Self::Step => "Steps",
            Self::RelativeTime => "Elapsed time",
            Self::Time => "Time of day",
            Self::Metric(key) => key,
        }
    }

    /// Every axis to choose from, where there are these metrics.
    pub fn all<'k>(keys: impl IntoIterator<Item = &'k str>) -> Vec<Self> {
        let metrics = keys.into_iter().map(|key| Self::Metric(key.to_owned()));
        [Self::Step, Self::RelativeTime, Self::Time].into_iter().chain(metrics).collect()
    }
}

/// How numbers along an axis are spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By magnitude.
    Log,
}

impl Scale {
    /// Every scale, in order.
    pub const ALL: [Self; 2] = [Self::Linear, Self::Log];

    /// The scale that a URL names; anything unknown is linear.
    pub fn from_url(value: &str) -> Self {
        Self::ALL.into_iter().find(|scale| scale.value() == value).unwrap_or_default()
    }

    /// The value in the URL.
    pub fn value(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Log => "log",
        }
    }

    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Log => "logarithmic",
        }
    }
}

/// How many colours lines have; beyond that they are dashed.
const COLOURS: usize = 10;

/// A candidate as a line of every chart.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number in the project.
    pub iid: i64,
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// Which line it is, from 0.
    pub index: usize,
}

impl Line {
    /// The number of its colour, from 1.
    pub fn colour(&self) -> usize {
        self.index % COLOURS + 1
    }

    /// Whether another line before it has its colour.
    pub fn is_dashed(&self) -> bool {
        self.index >= COLOURS
    }
}

/// Charts whose metrics begin with the same word and a slash.
#[derive(Clone, Debug)]
pub struct ChartSection {
    /// That word, or a general one for metrics without.
    pub title: String,
    /// The charts.
    pub charts: Vec<Chart>,
}

/// One metric as lines.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The metric's key.
    pub key: String,
    /// The key without the section's prefix.
    pub label: String,
    /// The latest value, where there is one line.
    pub latest: Option<String>,
    /// The lines as a picture, for readers without scripts.
    pub picture_href: String,
}

/// Puts charts whose keys share a prefix before `/` together; the order of the keys decides the order of sections.
pub fn sections(charts: Vec<Chart>) -> Vec<ChartSection> {
    let mut sections: Vec<ChartSection> = Vec::new();
    for mut chart in charts {
        let (title, label) = match chart.key.split_once('/') {
            Some((prefix, rest)) if !prefix.is_empty() && !rest.is_empty() => (prefix, rest),
            _ => ("Metrics", chart.key.as_str()),
        };
        let title = title.to_owned();
        label.clone_into(&mut chart.label);
        match sections.iter_mut().find(|section| section.title == title) {
            Some(section) => section.charts.push(chart),
            None => sections.push(ChartSection { title, charts: vec![chart] }),
        }
    }
    sections
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::parts::Status;
    use crate::views::candidate::{Tab, tests};
    use crate::views::testing::check;
    use modelry_core::status::CandidateStatus;

    fn chart(key: &str, latest: &str) -> Chart {
        let name = key.replace('/', "_");
        Chart {
            key: key.to_owned(),
            label: String::new(),
            latest: Some(latest.to_owned()),
            picture_href: format!("/pictures/{name}.svg"),
        }
    }

    pub(crate) fn line(index: usize, name: &str) -> Line {
        let iid = i64::try_from(index).expect("few lines") + 12;
        Line { iid, name: name.to_owned(), href: format!("/research/churn/-/ml/candidates/{iid}"), index }
    }

    pub(crate) fn board(lines: Vec<Line>, charts: Vec<Chart>) -> Board {
        let keys: Vec<String> = charts.iter().map(|chart| chart.key.clone()).collect();
        Board {
            action: "/research/churn/-/ml/candidates/12".to_owned(),
            kept: vec![Pair { key: "tab".to_owned(), value: "charts".to_owned() }],
            view: View {
                x: Axis::Step,
                x_scale: Scale::Linear,
                y: Scale::Log,
                smoothing: 0.6,
                from: String::new(),
                to: String::new(),
            },
            axes: Axis::all(keys.iter().map(String::as_str)),
            series_href: "/api/v4/projects/7/series".to_owned(),
            csrf: "csrf-of-ada".to_owned(),
            lines,
            sections: sections(charts),
            left_out: 0,
            is_live: true,
        }
    }

    pub(crate) fn charts() -> Vec<Chart> {
        [("lr", "0.001"), ("train/loss", "0.0123"), ("train/auc", "0.97"), ("val/loss", "NaN")]
            .map(|(key, latest)| chart(key, latest))
            .into()
    }

    fn sample(charts: Vec<Chart>) -> ChartsPage {
        ChartsPage {
            shell: tests::shell(),
            head: CandidateHead { status: Status(CandidateStatus::Running), ..tests::head(Tab::Charts) },
            board: board(vec![line(0, "calm-heron-11")], charts),
        }
    }

    #[test]
    fn metrics_of_one_prefix_share_a_section() {
        let charts = ["lr", "train/loss", "val/loss", "train/auc", "/odd"].map(|key| chart(key, "1"));
        let titles: Vec<_> = sections(charts.into())
            .iter()
            .map(|section| {
                let labels: Vec<_> = section.charts.iter().map(|chart| chart.label.clone()).collect();
                format!("{}: {}", section.title, labels.join(" "))
            })
            .collect();
        assert_eq!(titles, ["Metrics: lr /odd", "train: loss auc", "val: loss"]);
    }

    #[test]
    fn an_axis_is_read_back_from_its_url() {
        for axis in Axis::all(["epoch", "metric:odd"]) {
            assert_eq!(Axis::from_url(&axis.value()), axis);
        }
        assert_eq!(Axis::from_url("unknown"), Axis::Step);
    }

    #[test]
    fn lines_beyond_the_colours_are_dashed() {
        let looks = [0, 9, 10, 19].map(|index| (line(index, "a").colour(), line(index, "a").is_dashed()));
        assert_eq!(looks, [(1, false), (10, false), (1, true), (10, true)]);
    }

    #[test]
    fn the_charts_page_tells_the_script_what_to_draw() {
        let html = sample(charts()).to_string();
        check("charts", &html);
        assert!(html.contains(r#"data-series="/api/v4/projects/7/series""#));
        assert!(html.contains(r#"data-chart="train/loss""#) && html.contains(r#"data-line="12""#));
        assert!(html.contains(r#"<option value="metric:lr">lr</option>"#));
        assert!(html.contains(r#"<option value="log" selected>logarithmic</option>"#));
    }

    #[test]
    fn the_charts_page_without_metrics_says_how_to_log_one() {
        let html = sample(Vec::new()).to_string();
        check("charts_empty", &html);
        assert!(html.contains("No metrics logged"));
    }
}
