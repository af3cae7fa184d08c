//! Small pieces that many pages print: a status, a visibility, an avatar, a text to copy, the way to the next page.

use askama::Template;
use askama::filters::HtmlSafe;
use modelry_core::policy::Visibility;
use modelry_core::status::CandidateStatus;

use crate::icon::{self, Icon};

/// Where a candidate stands, as a coloured word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="status status-{{ self.class() }}">{{ self.word() }}</span>"#
)]
pub struct Status(pub CandidateStatus);

impl HtmlSafe for Status {}

impl Status {
    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self.0 {
            CandidateStatus::Running => "Running",
            CandidateStatus::Scheduled => "Scheduled",
            CandidateStatus::Finished => "Finished",
            CandidateStatus::Failed => "Failed",
            CandidateStatus::Killed => "Killed",
        }
    }

    /// Whether more may still be logged.
    pub fn is_live(self) -> bool {
        matches!(self.0, CandidateStatus::Running | CandidateStatus::Scheduled)
    }

    /// The style class.
    fn class(self) -> String {
        self.word().to_lowercase()
    }
}

/// Who may see a project, as a word with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="visibility" title="{{ self.meaning() }}">{{ self.icon() }}{{ self.word() }}</span>"#
)]
pub struct Seen(pub Visibility);

impl HtmlSafe for Seen {}

impl Seen {
    /// Every choice, the narrowest first.
    pub const ALL: [Self; 3] =
        [Self(Visibility::Private), Self(Visibility::Internal), Self(Visibility::Public)];

    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self.0 {
            Visibility::Private => "Private",
            Visibility::Internal => "Internal",
            Visibility::Public => "Public",
        }
    }

    /// What the word means.
    pub fn meaning(self) -> &'static str {
        match self.0 {
            Visibility::Private => "Only members of the project can see it.",
            Visibility::Internal => "Everyone who is signed in can see it.",
            Visibility::Public => "Everyone can see it, without signing in.",
        }
    }

    /// The picture beside the word.
    pub fn icon(self) -> Icon {
        match self.0 {
            Visibility::Private => icon::LOCK,
            Visibility::Internal => icon::SHIELD,
            Visibility::Public => icon::GLOBE,
        }
    }
}

/// The first letter of a name on a colour that stays the same for the name.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="avatar avatar-{{ self.colour() }}" aria-hidden="true">{{ self.letter() }}</span>"#
)]
pub struct Avatar<'a>(pub &'a str);

impl HtmlSafe for Avatar<'_> {}

impl Avatar<'_> {
    /// The style sheet has this many avatar colours.
    const COLOURS: u32 = 6;

    fn letter(&self) -> String {
        self.0.chars().next().map_or_else(|| "?".to_owned(), |letter| letter.to_uppercase().collect())
    }

    fn colour(&self) -> u32 {
        self.0.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % Self::COLOURS
    }
}

/// A button that copies `text`. It appears where the page's script runs; the text itself always stands beside it.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<button type="button" class="copy" data-copy="{{ text }}" aria-label="Copy {{ what }}" title="Copy {{ what }}" hidden>{{ crate::icon::COPY }}</button>"#
)]
pub struct Copy<'a> {
    /// What lands in the clipboard.
    pub text: &'a str,
    /// What that is, for the label: `Run ID`.
    pub what: &'a str,
}

impl HtmlSafe for Copy<'_> {}

/// A piece of code to paste, with the reader's own host and project filled in.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/snippet.html")]
pub struct Snippet {
    /// What it is for: `Shell`, `Python`.
    pub label: String,
    /// The code.
    pub code: String,
}

impl HtmlSafe for Snippet {}

/// The way to the other pages of a list that is read from a key onwards.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "parts/pager.html")]
pub struct Pager {
    /// The first page, where this is a later one.
    pub first: Option<String>,
    /// The page after this one.
    pub next: Option<String>,
}

impl HtmlSafe for Pager {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_to_copy_cannot_leave_its_attribute() {
        let button = Copy { text: r#""><script>"#, what: "it" }.to_string();
        assert!(!button.contains("<script>"), "{button}");
    }

    #[test]
    fn an_avatar_of_a_nameless_thing_is_a_question_mark() {
        assert_eq!(Avatar("").letter(), "?");
    }
}
