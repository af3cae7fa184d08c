//! A chart for each metric of a candidate.

use askama::Template;

use crate::shell::Shell;
use crate::views::ViewChoice;
use crate::views::candidate::CandidateHead;

/// `/:full_path/-/ml/candidates/:iid?tab=charts`.
#[derive(Clone, Debug, Template)]
#[template(path = "candidate/charts.html")]
pub struct ChartsPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: CandidateHead,
    /// What the charts run over.
    pub x: Axis,
    /// How values are spaced.
    pub y: Scale,
    /// The links that choose another axis.
    pub axes: Vec<ViewChoice>,
    /// The links that choose another scale.
    pub scales: Vec<ViewChoice>,
    /// The charts, those with a common prefix together.
    pub sections: Vec<ChartSection>,
}

/// What a chart runs over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// The client's step.
    #[default]
    Step,
    /// Time since the first point.
    Elapsed,
    /// The time of day.
    Clock,
}

impl Axis {
    /// Every axis, in order.
    pub const ALL: [Self; 3] = [Self::Step, Self::Elapsed, Self::Clock];

    /// The axis that a URL names; anything unknown is the step.
    pub fn from_url(value: &str) -> Self {
        Self::ALL.into_iter().find(|axis| axis.value() == value).unwrap_or_default()
    }

    /// The value in the URL.
    pub fn value(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Elapsed => "elapsed",
            Self::Clock => "clock",
        }
    }

    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Step => "Steps",
            Self::Elapsed => "Elapsed time",
            Self::Clock => "Time of day",
        }
    }
}

/// How the values of a chart are spaced.
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
            Self::Linear => "Linear",
            Self::Log => "Logarithmic",
        }
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

/// One metric as a line.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The metric's key.
    pub key: String,
    /// The key without the section's prefix.
    pub label: String,
    /// The latest value.
    pub latest: String,
    /// Where the script fetches the points.
    pub points_href: String,
    /// The line as a picture, for readers without scripts.
    pub picture_href: String,
}

/// The links between every axis and every scale, from the page at `href` seen with `x` and `y`.
pub fn choices(href: &str, x: Axis, y: Scale) -> (Vec<ViewChoice>, Vec<ViewChoice>) {
    let link = |x: Axis, y: Scale| format!("{href}?tab=charts&x={}&y={}", x.value(), y.value());
    let axes = Axis::ALL.map(|axis| ViewChoice {
        label: axis.word(),
        value: axis.value(),
        href: link(axis, y),
        is_chosen: axis == x,
    });
    let scales = Scale::ALL.map(|scale| ViewChoice {
        label: scale.word(),
        value: scale.value(),
        href: link(x, scale),
        is_chosen: scale == y,
    });
    (axes.into(), scales.into())
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
mod tests {
    use super::*;
    use crate::parts::Status;
    use crate::views::candidate::{CandidateHead, Tab, tests};
    use crate::views::testing::check;
    use modelry_core::status::CandidateStatus;

    fn chart(key: &str, latest: &str) -> Chart {
        let name = key.replace('/', "_");
        Chart {
            key: key.to_owned(),
            label: String::new(),
            latest: latest.to_owned(),
            points_href: format!("/points/{name}.json"),
            picture_href: format!("/points/{name}.svg"),
        }
    }

    fn sample(charts: Vec<Chart>) -> ChartsPage {
        let (axes, scales) = choices("/research/churn/-/ml/candidates/12", Axis::Step, Scale::Linear);
        ChartsPage {
            shell: tests::shell(),
            head: CandidateHead { status: Status(CandidateStatus::Running), ..tests::head(Tab::Charts) },
            x: Axis::Step,
            y: Scale::Linear,
            axes,
            scales,
            sections: sections(charts),
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
    fn the_charts_page_tells_the_script_where_the_points_are() {
        let charts = vec![
            chart("lr", "0.001"),
            chart("train/loss", "0.0123"),
            chart("train/auc", "0.97"),
            chart("val/loss", "NaN"),
            chart("val/auc", "0.934211"),
        ];
        let html = sample(charts).to_string();
        check("charts", &html);
        assert!(html.contains(r#"data-points="/points/train_loss.json""#));
    }

    #[test]
    fn the_charts_page_without_metrics_says_how_to_log_one() {
        let html = sample(Vec::new()).to_string();
        check("charts_empty", &html);
        assert!(html.contains("No metrics logged"));
    }
}
