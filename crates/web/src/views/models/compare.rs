//! Two versions of a model beside each other.

use askama::Template;

use super::VersionLink;
use crate::shell::Shell;

/// `/:full_path/-/ml/models/:id/compare?a=..&b=..`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/compare.html")]
pub struct ComparePage {
    /// The surroundings.
    pub shell: Shell,
    /// The model's name.
    pub model: String,
    /// The version before.
    pub before: VersionLink,
    /// The version after.
    pub after: VersionLink,
    /// The same the other way round.
    pub swapped_href: String,
    /// What the signatures ask for, where the versions' numbers promise more than that.
    pub warning: Option<String>,
    /// How the signature changed, each as a sentence.
    pub signature: Vec<String>,
    /// Metrics, parameters, and what the files say of themselves.
    pub tables: Vec<Differences>,
    /// The files that differ.
    pub files: Vec<FileChange>,
    /// How many files are the same: `12 files`.
    pub same_files: String,
    /// Whether there are more files than were compared.
    pub is_cut: bool,
}

/// Values of one kind.
#[derive(Clone, Debug)]
pub struct Differences {
    /// The id of the heading.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What stands there where there are none.
    pub without_rows: &'static str,
    /// The values.
    pub rows: Vec<Difference>,
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub key: String,
    /// The value before, if there was one.
    pub before: Option<String>,
    /// The value after, if there is one.
    pub after: Option<String>,
}

impl Difference {
    /// Whether the two differ.
    pub fn is_change(&self) -> bool {
        self.before != self.after
    }
}

/// A file that is not the same in both.
#[derive(Clone, Debug)]
pub struct FileChange {
    /// Where it is.
    pub path: String,
    /// `added`, `removed` or `changed`.
    pub what: &'static str,
    /// Its size before, if it was there.
    pub before: Option<String>,
    /// Its size after, if it is there.
    pub after: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::models::tests::{HREF, shell};
    use crate::views::testing::check;

    #[test]
    fn what_changed_is_marked_and_what_did_not_is_there() {
        let difference = |key: &str, before: &str, after: &str| Difference {
            key: key.to_owned(),
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
        };
        let link = |label: &str| VersionLink { label: label.to_owned(), href: format!("{HREF}/versions/1") };
        let page = ComparePage {
            shell: shell("1.0.0 to 1.0.1"),
            model: "churn".to_owned(),
            before: link("1.0.0 (#1)"),
            after: link("1.0.1 (#2)"),
            swapped_href: format!("{HREF}/compare?a=2&b=1"),
            warning: Some("declared patch, looks like major".to_owned()),
            signature: vec!["required column \"age\" added".to_owned()],
            tables: vec![Differences {
                id: "metrics",
                title: "Metrics",
                without_rows: "None logged.",
                rows: vec![difference("auc", "0.91", "0.93"), difference("loss", "1", "1")],
            }],
            files: vec![FileChange {
                path: "model.pkl".to_owned(),
                what: "changed",
                before: Some("1 kB".to_owned()),
                after: Some("2 kB".to_owned()),
            }],
            same_files: "4 files".to_owned(),
            is_cut: false,
        };
        let html = page.to_string();
        check("compare", &html);
        assert_eq!(html.matches(r#"<tr class="changed">"#).count(), 1);
        assert!(html.contains("required column &#34;age&#34; added"));
    }
}
