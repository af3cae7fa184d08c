//! One model: its card, its versions, how to use it.

use askama::Template;

use super::{Standing, State, VersionLink};
use crate::format::Moment;
use crate::markdown::Markdown;
use crate::parts::{Pager, Snippet};
use crate::shell::Shell;
use crate::views::Pair;
use crate::views::table::CandidateRow;

/// What stands above every part of a model's page.
#[derive(Clone, Debug)]
pub struct ModelHead {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: i64,
    /// Its page.
    pub href: String,
    /// When it was made.
    pub created: Moment,
    /// Who made it, if known.
    pub owner: Option<String>,
    /// How many versions it has.
    pub versions: u32,
    /// Whether the reader may change it.
    pub can_write: bool,
}

/// `/:full_path/-/ml/models/:id`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/model.html")]
pub struct ModelPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: ModelHead,
    /// Why the last change was refused.
    pub problem: Option<String>,
    /// The newest versions.
    pub newest: Vec<VersionRow>,
    /// The model card.
    pub card: Markdown,
    /// Why the card's front matter cannot be read.
    pub card_problem: Option<String>,
    /// What the card's front matter says, by key.
    pub front_matter: Vec<Pair>,
    /// What `latest` means; `None` while no version has files.
    pub latest: Option<VersionLink>,
    /// The experiment whose candidates are the model's.
    pub experiment: Option<ExperimentBrief>,
    /// When something of it changed last.
    pub changed: Moment,
    /// The aliases with their history.
    pub aliases: Vec<AliasRow>,
    /// What people set.
    pub metadata: Vec<Pair>,
    /// Code that loads it, or that makes its first version.
    pub usage: Vec<Snippet>,
}

/// An alias, and where it pointed before.
#[derive(Clone, Debug)]
pub struct AliasRow {
    /// Its name.
    pub name: String,
    /// Who may move it.
    pub protection: Protection,
    /// Whether the reader may change that.
    pub may_protect: bool,
    /// Where it points.
    pub version: VersionLink,
    /// Its last moves, the newest first.
    pub moves: Vec<MoveRow>,
}

/// Who may move an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Whoever may change models.
    None,
    /// Only maintainers.
    MaintainersOnly,
}

/// One move of an alias.
#[derive(Clone, Debug)]
pub struct MoveRow {
    /// Where it pointed before; `None` is nowhere.
    pub from: Option<String>,
    /// Where it pointed afterwards; `None` is nowhere.
    pub to: Option<String>,
    /// Who moved it, if known.
    pub username: Option<String>,
    /// When.
    pub moved: Moment,
    /// Why; may be empty.
    pub reason: String,
    /// The id of the move, where the reader may take the alias back to where it led.
    pub back_to: Option<i64>,
}

/// The experiment of a model.
#[derive(Clone, Debug)]
pub struct ExperimentBrief {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// How many candidates it holds.
    pub candidates: u32,
    /// The newest of them, without their metrics and parameters.
    pub newest: Vec<CandidateRow>,
}

/// `/:full_path/-/ml/models/:id?tab=versions`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/versions.html")]
pub struct VersionsPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: ModelHead,
    /// Why the last change was refused.
    pub problem: Option<String>,
    /// One page of versions.
    pub versions: Vec<VersionRow>,
    /// The way to the other pages.
    pub pager: Pager,
    /// How many versions are in the bin, for who may take them out.
    pub in_bin: usize,
}

/// One version of a list.
#[derive(Clone, Debug)]
pub struct VersionRow {
    /// Its semantic version.
    pub version: String,
    /// Its sequence number.
    pub number: i64,
    /// Its page.
    pub href: String,
    /// Draft or published.
    pub state: State,
    /// What speaks against it.
    pub standing: Standing,
    /// Its stage, where it is in one.
    pub stage: Option<&'static str>,
    /// The aliases that point at it.
    pub aliases: Vec<String>,
    /// When it was made.
    pub created: Moment,
}

#[cfg(test)]
mod tests {
    use modelry_core::status::CandidateStatus;

    use super::*;
    use crate::parts::Status;
    use crate::views::models::tests::{HREF, shell};
    use crate::views::models::{Address, Usage, register, use_model};
    use crate::views::testing::{check, minutes_ago};

    fn head() -> ModelHead {
        ModelHead {
            name: "churn".to_owned(),
            number: 3,
            href: HREF.to_owned(),
            created: minutes_ago(9_000),
            owner: Some("ada".to_owned()),
            versions: 2,
            can_write: true,
        }
    }

    fn row(version: &str, number: i64, state: State) -> VersionRow {
        VersionRow {
            version: version.to_owned(),
            number,
            href: format!("{HREF}/versions/{number}"),
            state,
            standing: Standing::Fine,
            stage: (number == 1).then_some("Production"),
            aliases: if number == 1 { vec!["champion".to_owned()] } else { Vec::new() },
            created: minutes_ago(100 - number),
        }
    }

    fn candidate(name: &str) -> CandidateRow {
        CandidateRow {
            iid: 12,
            name: name.to_owned(),
            href: "/research/churn/-/ml/candidates/12".to_owned(),
            status: Status(CandidateStatus::Running),
            created: minutes_ago(2),
            user: None,
            duration: Some("2 min 0 s".to_owned()),
            cells: Vec::new(),
        }
    }

    fn step(from: Option<&str>, to: &str, reason: &str, back_to: Option<i64>) -> MoveRow {
        MoveRow {
            from: from.map(str::to_owned),
            to: Some(to.to_owned()),
            username: Some("ada".to_owned()),
            moved: minutes_ago(10),
            reason: reason.to_owned(),
            back_to,
        }
    }

    fn sample() -> ModelPage {
        let version = "1.0.0".parse().expect("a version");
        let pair = |key: &str, value: &str| Pair { key: key.to_owned(), value: value.to_owned() };
        ModelPage {
            shell: shell("churn"),
            head: head(),
            problem: None,
            newest: vec![row("1.1.0", 2, State::Draft), row("1.0.0", 1, State::Published)],
            card: Markdown::render("# Churn\n\nWho leaves, and *why*.\n\n```python\nprint(1)\n```\n"),
            card_problem: None,
            front_matter: vec![pair("Licence", "apache-2.0"), pair("Tags", "tabular, churn")],
            latest: Some(VersionLink { label: "1.0.0 (#1)".to_owned(), href: format!("{HREF}/versions/1") }),
            experiment: Some(ExperimentBrief {
                name: "churn".to_owned(),
                href: "/research/churn/-/ml/experiments/4".to_owned(),
                candidates: 12,
                newest: vec![candidate("calm-heron-12")],
            }),
            changed: minutes_ago(10),
            aliases: vec![AliasRow {
                name: "champion".to_owned(),
                protection: Protection::MaintainersOnly,
                may_protect: true,
                version: VersionLink { label: "1.0.0 (#1)".to_owned(), href: format!("{HREF}/versions/1") },
                moves: vec![
                    step(Some("1.1.0 (#2)"), "1.0.0 (#1)", "1.1.0 was <worse>", None),
                    step(None, "1.1.0 (#2)", "", Some(7)),
                ],
            }],
            metadata: vec![pair("team", "growth")],
            usage: vec![use_model(Usage::Load, &[("just this", Address::exact("churn", &version))])],
        }
    }

    #[test]
    fn the_page_of_a_model_shows_its_card_and_its_versions() {
        let html = sample().to_string();
        check("model_page", &html);
        assert!(html.contains(r#"<a href="/research/churn/-/ml/candidates/12">calm-heron-12</a>"#));
        assert!(html.contains("<h2>Churn</h2>") && html.contains("<em>why</em>"));
        assert!(html.contains(&format!(r#"<a href="{HREF}/versions/2">1.1.0</a>"#)));
        assert!(html.contains("1.1.0 was &#60;worse&#62;"));
        assert!(html.contains(r#"name="back_to" value="7""#) && html.contains(">Unprotect<"), "{html}");
    }

    #[test]
    fn a_model_without_versions_shows_what_to_run() {
        let page = ModelPage {
            newest: Vec::new(),
            latest: None,
            card: Markdown::default(),
            front_matter: Vec::new(),
            metadata: Vec::new(),
            usage: vec![register("churn")],
            ..sample()
        };
        let html = page.to_string();
        check("model_page_empty", &html);
        assert!(html.contains("No versions yet"));
    }

    #[test]
    fn two_versions_are_chosen_for_comparison_without_scripts() {
        let page = VersionsPage {
            shell: shell("churn"),
            head: head(),
            problem: None,
            versions: vec![row("1.1.0", 2, State::Draft), row("1.0.0", 1, State::Published)],
            pager: Pager::default(),
            in_bin: 1,
        };
        let html = page.to_string();
        check("model_versions", &html);
        assert!(html.contains(r#"name="a" value="1""#) && html.contains(r#"name="b" value="2""#), "{html}");
    }
}
