//! What every page must hold, checked on its sample, and a way to look at the samples.

use std::collections::BTreeSet;

use crate::assets;
use crate::format::Moment;
use crate::shell::{Crumb, ProjectNav, Section, Shell, Theme, Viewer};
use modelry_core::time::Timestamp;

/// The moment at which the samples are seen.
pub(crate) const NOW: Timestamp = Timestamp(1_780_000_000_000);

/// A moment `minutes` before [`NOW`].
pub(crate) fn minutes_ago(minutes: i64) -> Moment {
    Moment::new(Timestamp(NOW.ms() - minutes * 60_000), NOW)
}

/// The surroundings of a page outside of a project, seen by an administrator.
pub(crate) fn shell(title: &str, here: &str) -> Shell {
    Shell {
        title: title.to_owned(),
        theme: Theme::System,
        user: Some(Viewer { username: "ada".to_owned(), is_admin: true, csrf: "csrf-of-ada".to_owned() }),
        project: None,
        crumbs: vec![Crumb::here(title)],
        notice: None,
        here: here.to_owned(),
    }
}

/// The surroundings of a page of the project `research/churn`.
pub(crate) fn project_shell(title: &str, section: Section) -> Shell {
    let project = ProjectNav {
        name: "Churn".to_owned(),
        href: "/research/churn".to_owned(),
        section,
        can_manage: true,
        can_see_members: true,
    };
    let crumbs = vec![Crumb::link("Churn", "/research/churn"), Crumb::here(title)];
    Shell { project: Some(project), crumbs, ..shell(title, "/research/churn") }
}

/// Asserts what holds for every page, and writes it to the folder `MODELRY_SAMPLE_PAGES` where that was set at build
/// time: serve the folder with any static server to look at the pages.
pub(crate) fn check(name: &str, html: &str) {
    if let Some(folder) = option_env!("MODELRY_SAMPLE_PAGES") {
        publish(folder, name, html);
    }
    let tags = tags(html);
    assert_balanced(&tags);
    assert_strict(html, &tags);
    assert_assets_exist(&tags);
    assert_labelled(&tags);
    assert_eq!(tags.iter().filter(|tag| tag.name == "h1").count(), 1, "a page has one main heading");
}

/// One start or end tag: `</p>` has the name `/p`.
struct Tag<'h> {
    name: &'h str,
    text: &'h str,
}

impl<'h> Tag<'h> {
    fn attribute(&self, name: &str) -> Option<&'h str> {
        let (_, rest) = self.text.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    }

    fn has(&self, attribute: &str) -> bool {
        self.text.split([' ', '>']).any(|word| word == attribute)
    }
}

fn tags(html: &str) -> Vec<Tag<'_>> {
    html.split('<')
        .skip(1)
        .filter(|text| !text.starts_with('!'))
        .map(|text| Tag { name: text.split([' ', '>', '\n']).next().unwrap_or_default(), text })
        .collect()
}

fn assert_balanced(tags: &[Tag<'_>]) {
    const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];
    let mut open: Vec<&str> = Vec::new();
    for tag in tags {
        let closes_itself = tag.text.split('>').next().is_some_and(|inside| inside.ends_with('/'));
        if let Some(name) = tag.name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another element; open: {open:?}");
        } else if !VOID.contains(&tag.name) && !closes_itself {
            open.push(tag.name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

/// The content security policy forbids inline script and style.
fn assert_strict(html: &str, tags: &[Tag<'_>]) {
    assert!(!tags.iter().any(|tag| tag.name == "style"), "an inline style sheet");
    assert!(!html.contains(" style=\""), "an inline style");
    for tag in tags {
        let inside = tag.text.split('>').next().unwrap_or_default();
        let handler = inside.split(' ').find(|word| word.starts_with("on") && word.contains("=\""));
        assert_eq!(handler, None, "an inline event handler");
    }
    for script in tags.iter().filter(|tag| tag.name == "script") {
        assert!(script.attribute("src").is_some(), "an inline script");
    }
}

fn assert_assets_exist(tags: &[Tag<'_>]) {
    for url in tags.iter().filter_map(|tag| tag.attribute("href").or(tag.attribute("src"))) {
        if let Some(path) = url.strip_prefix("/assets/") {
            assert!(assets::find(path).is_some(), "{url} does not exist");
        }
    }
}

/// Every field has a label, every button words, every id one owner.
fn assert_labelled(tags: &[Tag<'_>]) {
    let labels: BTreeSet<_> =
        tags.iter().filter(|tag| tag.name == "label").filter_map(|tag| tag.attribute("for")).collect();
    let mut ids = BTreeSet::new();
    let mut inside_label = false;
    for tag in tags {
        match tag.name {
            "label" => inside_label = true,
            "/label" => inside_label = false,
            _ => {}
        }
        if let Some(id) = tag.attribute("id") {
            assert!(ids.insert(id), "the id {id} stands twice");
        }
        let is_field =
            ["input", "select", "textarea"].contains(&tag.name) && tag.attribute("type") != Some("hidden");
        let by_label = tag.attribute("id").is_some_and(|id| labels.contains(id));
        let is_labelled = inside_label || by_label || tag.attribute("aria-label").is_some();
        assert!(!is_field || is_labelled, "a field without a label: <{}", tag.text);
        assert!(
            tag.name != "img" || tag.attribute("alt").is_some(),
            "a picture without words: <{}",
            tag.text
        );
        assert!(!tag.has("autofocus") || is_field || tag.name == "button", "focus on what takes none");
    }
}

fn publish(folder: &str, name: &str, html: &str) {
    let write = |path: String, bytes: &[u8]| {
        let path = std::path::Path::new(folder).join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(path, bytes).expect("the sample can be written");
    };
    write(format!("{name}.html"), html.as_bytes());
    for tag in tags(html) {
        let url = tag.attribute("href").or(tag.attribute("src")).unwrap_or_default();
        if let Some(asset) = url.strip_prefix("/assets/").and_then(assets::find) {
            write(url[1..].to_owned(), &asset.bytes);
        }
    }
}
