//! The question before something goes to the bin.

use askama::Template;

use crate::format;
use crate::shell::Shell;

/// `/:full_path/-/ml/models/:id/delete`, and the same of a version.
#[derive(Clone, Debug, Template)]
#[template(path = "models/delete.html")]
pub struct DeletePage {
    /// The surroundings.
    pub shell: Shell,
    /// What is to be deleted: `churn 1.2.0 (#2)`.
    pub what: String,
    /// Why it was refused.
    pub problem: Option<String>,
    /// What deleting does, a sentence each.
    pub consequences: Vec<String>,
    /// Where the form posts to.
    pub action: String,
    /// Where it leads if nothing is deleted.
    pub cancel_href: String,
}

/// How much removing something for good frees, as the end of a sentence.
pub fn amount_freed(size_bytes: u64) -> String {
    match size_bytes {
        0 => "nothing: other versions or candidates have the same bytes".to_owned(),
        size_bytes => format::bytes(size_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::models::tests::{HREF, shell};
    use crate::views::testing::check;

    #[test]
    fn the_question_says_what_deleting_does() {
        let page = DeletePage {
            shell: shell("Delete"),
            what: "churn 1.2.0 (#2)".to_owned(),
            problem: Some("The alias champion is protected: only maintainers may move it.".to_owned()),
            consequences: vec![
                "Its files (5 files, 1.2 MB) go with it.".to_owned(),
                format!("It frees {}.", amount_freed(12_300_000)),
            ],
            action: format!("{HREF}/versions/2/delete"),
            cancel_href: format!("{HREF}/versions/2"),
        };
        let html = page.to_string();
        check("delete_version", &html);
        assert!(html.contains("<p>It frees 12.3 MB.</p>"), "{html}");
    }

    #[test]
    fn bytes_that_others_have_are_not_freed() {
        assert_eq!(amount_freed(0), "nothing: other versions or candidates have the same bytes");
    }
}
