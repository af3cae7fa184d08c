//! Markdown of strangers, as harmless HTML: a model card, what is said of a version.
//!
//! HTML in a text is shown as text, so none of a stranger's markup ever stands on a page. A link leads to the web, to
//! an address of e-mail or to a place of this server; a picture becomes a link to it, because a page asks no other host
//! for anything.

use std::fmt;

use askama::filters::HtmlSafe;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The schemes that a link may have.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// A text in Markdown, rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markdown(String);

impl Markdown {
    /// Renders `text`.
    pub fn render(text: &str) -> Self {
        let parser = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
        let mut rendered = String::with_capacity(text.len() * 3 / 2);
        html::push_html(&mut rendered, parser.map(harmless));
        Self(rendered)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Markdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markdown {}

/// The event, with what could do harm or break the page taken out of it.
fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(markup) | Event::InlineHtml(markup) => Event::Text(markup),
        Event::Start(tag) => Event::Start(harmless_start(tag)),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        other => other,
    }
}

fn harmless_start(tag: Tag<'_>) -> Tag<'_> {
    match tag {
        Tag::Heading { level, .. } => {
            Tag::Heading { level: lower(level), id: None, classes: Vec::new(), attrs: Vec::new() }
        }
        // Alignment would be written as inline style, which the policy of our pages forbids.
        Tag::Table(columns) => Tag::Table(vec![pulldown_cmark::Alignment::None; columns.len()]),
        Tag::Link { link_type, dest_url, title, id } | Tag::Image { link_type, dest_url, title, id } => {
            Tag::Link { link_type, dest_url: harmless_address(dest_url), title, id }
        }
        Tag::HtmlBlock => Tag::Paragraph,
        other => other,
    }
}

/// The page has a main heading of its own.
fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// The address, or one that leads nowhere.
fn harmless_address(address: CowStr<'_>) -> CowStr<'_> {
    if is_harmless(&address) { address } else { CowStr::Borrowed("#") }
}

fn is_harmless(address: &str) -> bool {
    // Browsers skip these where they look for the scheme.
    if address.contains(char::is_control) || address.starts_with(char::is_whitespace) {
        return false;
    }
    let before_path = address.split(['/', '?', '#']).next().unwrap_or_default();
    match before_path.split_once(':') {
        None => true,
        Some((scheme, _)) => SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        Markdown::render(text).to_string()
    }

    #[test]
    fn markup_is_text() {
        for text in
            ["<script>alert(1)</script>", "a <img src=x onerror=alert(1)> b", "<div\n onclick=x>\n\nend"]
        {
            let html = rendered(text);
            assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<div"), "{html}");
            assert!(html.contains("&lt;"), "{html}");
        }
    }

    #[test]
    fn a_link_that_runs_something_leads_nowhere() {
        for address in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#10;script:alert(1)",
            "&#1;javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
        ] {
            let html = rendered(&format!("[a](<{address}>) ![b](<{address}>)"));
            assert_eq!(html.matches("href=\"#\"").count(), 2, "{html}");
        }
    }

    #[test]
    fn a_link_to_the_web_or_to_a_place_here_stays() {
        for address in
            ["https://example.org/a:b", "http://x", "mailto:a@b.c", "/root/churn", "a/b:c", "#top", "?x=a:b"]
        {
            let html = rendered(&format!("[a](<{address}>)"));
            assert!(html.contains(&format!("href=\"{address}\"")), "{html}");
        }
    }

    #[test]
    fn a_picture_is_a_link_to_it() {
        let html = rendered("![the curve](https://example.org/roc.png)");
        assert!(html.contains("<a href=\"https://example.org/roc.png\">the curve</a>"), "{html}");
    }

    #[test]
    fn headings_stand_below_the_pages_own() {
        assert_eq!(rendered("# One\n\n## Two"), "<h2>One</h2>\n<h3>Two</h3>\n");
    }

    #[test]
    fn a_table_needs_no_inline_style() {
        let html = rendered("| a | b |\n|:-:|--:|\n| 1 | 2 |\n");
        assert!(html.contains("<td>2</td>") && !html.contains("style"), "{html}");
    }
}
