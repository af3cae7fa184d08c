//! What is in a bin: models, or versions of one model.

use askama::Template;

use crate::format::Moment;
use crate::parts::Pager;
use crate::shell::Shell;

/// `/:full_path/-/ml/models/bin`, and `/:full_path/-/ml/models/:id/versions/bin`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/bin.html")]
pub struct BinPage {
    /// The surroundings.
    pub shell: Shell,
    /// What is in it: `models`, or `versions of churn`.
    pub of: String,
    /// How long things stay in it, in days.
    pub days: i64,
    /// Where what is not in the bin stands.
    pub back_href: String,
    /// Why the last change was refused.
    pub problem: Option<String>,
    /// What is in it, the last deleted first.
    pub rows: Vec<Deleted>,
    /// The links to the first page and to the next.
    pub pager: Pager,
    /// Whether the reader may remove things for good.
    pub can_purge: bool,
}

/// Something in the bin.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// What it is called.
    pub label: String,
    /// When it was put there.
    pub deleted: Moment,
    /// How long it stays: `6 days`.
    pub left: String,
    /// How much is freed when it is removed for good: `12.3 MB`, or `nothing`.
    pub frees: String,
    /// What its forms post below.
    pub href: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::models::tests::{HREF, shell};
    use crate::views::testing::{check, minutes_ago};

    fn sample() -> BinPage {
        let row = |number: i64, label: &str, frees: &str| Deleted {
            label: label.to_owned(),
            deleted: minutes_ago(90 * number),
            left: "7 days".to_owned(),
            frees: frees.to_owned(),
            href: format!("{HREF}/versions/{number}"),
        };
        BinPage {
            shell: shell("In the bin"),
            of: "versions of churn".to_owned(),
            days: 7,
            back_href: format!("{HREF}?tab=versions"),
            problem: None,
            rows: vec![row(2, "1.1.0 (#2)", "12.3 MB"), row(1, "1.0.0 (#1)", "nothing")],
            pager: Pager { first: None, next: Some(format!("{HREF}/versions/bin?page_token=x")) },
            can_purge: true,
        }
    }

    #[test]
    fn what_is_in_the_bin_is_restored_or_removed_for_good() {
        let html = sample().to_string();
        check("bin", &html);
        assert!(html.contains(&format!(r#"action="{HREF}/versions/2/restore""#)));
        assert!(html.contains(&format!(r#"action="{HREF}/versions/2/purge""#)));
        assert!(html.contains("This frees 12.3 MB."), "{html}");
    }

    #[test]
    fn who_may_not_purge_is_only_offered_to_restore() {
        let html = BinPage { can_purge: false, ..sample() }.to_string();
        check("bin_of_a_reporter", &html);
        assert!(html.contains("/restore") && !html.contains("/purge"));
    }

    #[test]
    fn an_empty_bin_leads_back() {
        let html = BinPage { rows: Vec::new(), ..sample() }.to_string();
        check("bin_empty", &html);
        assert!(html.contains("Nothing is in the bin"));
    }
}
