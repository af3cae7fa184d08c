//! The YAML block at the start of a model card, and the Markdown after it.

use serde::{Deserialize, Serialize};

use super::yaml::{self, Node};
use super::{Refusal, cut};

/// The longest block that is read, in bytes.
pub const MOST_BYTES: usize = 64 * 1024;

/// How many items of a list are kept.
pub const MOST_ITEMS: usize = 64;

/// The longest text that is kept, in characters.
pub const MOST_TEXT_CHARACTERS: usize = 200;

/// What the block says. A key that holds one text is a list of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontMatter {
    /// `license`, as SPDX or the writer names it.
    pub licences: Vec<String>,
    /// `tags`.
    pub tags: Vec<String>,
    /// `base_model`: what it was trained from.
    pub base_models: Vec<String>,
    /// `datasets`: what it was trained on.
    pub datasets: Vec<String>,
    /// `language`.
    pub languages: Vec<String>,
    /// `library_name`: what loads it.
    pub library_name: Option<String>,
    /// `pipeline_tag`: what it is for.
    pub pipeline_tag: Option<String>,
}

/// A model card in its two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card<'a> {
    /// What the block says; `None` where there is no block, or none that can be read.
    pub front_matter: Option<FrontMatter>,
    /// Why there is a block that cannot be read.
    pub problem: Option<Refusal>,
    /// The Markdown after the block, or the whole text where there is none.
    pub markdown: &'a str,
}

/// Takes a card apart.
///
/// A block begins with `---` as the first line and ends with the next such line. Without an end it is no block: the
/// first line is a rule across the page then, and all of the text is Markdown. A block that cannot be read is not
/// Markdown either, so the problem stands for it.
pub fn read(card: &str) -> Card<'_> {
    let Some((block, markdown)) = split(card) else {
        return Card { front_matter: None, problem: None, markdown: card };
    };
    match parse(block) {
        Ok(front_matter) => Card { front_matter: Some(front_matter), problem: None, markdown },
        Err(problem) => Card { front_matter: None, problem: Some(problem), markdown },
    }
}

fn split(card: &str) -> Option<(&str, &str)> {
    // Some editors mark a text as UTF-8 this way.
    let card = card.strip_prefix('\u{feff}').unwrap_or(card);
    let mut lines = card.split_inclusive('\n');
    let first = lines.next().filter(|line| is_fence(line))?;
    let mut at = first.len();
    for line in lines {
        if is_fence(line) {
            return Some((&card[first.len()..at], &card[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

fn is_fence(line: &str) -> bool {
    line.trim_end() == "---"
}

fn parse(block: &str) -> Result<FrontMatter, Refusal> {
    if block.len() > MOST_BYTES {
        return Err(Refusal::new(format!("the block has {} bytes, more than {MOST_BYTES}", block.len())));
    }
    let root = yaml::parse(block)?;
    match &*root {
        Node::Null | Node::Map(_) => Ok(describe(&root)),
        Node::Text(_) | Node::List(_) => Err(Refusal::new("the block is not a mapping of keys to values")),
    }
}

fn describe(root: &Node) -> FrontMatter {
    let list = |key| -> Vec<String> {
        let texts = root.get(key).into_iter().flat_map(Node::texts).take(MOST_ITEMS);
        texts.map(|text| cut(text, MOST_TEXT_CHARACTERS)).collect()
    };
    let one = |key| root.get(key).and_then(Node::text).map(|text| cut(text, MOST_TEXT_CHARACTERS));
    FrontMatter {
        licences: list("license"),
        tags: list("tags"),
        base_models: list("base_model"),
        datasets: list("datasets"),
        languages: list("language"),
        library_name: one("library_name"),
        pipeline_tag: one("pipeline_tag"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "---\nlicense: apache-2.0\nlanguage:\n- en\n- no\ntags: [churn, 1.10]\nbase_model: org/base\n\
        datasets:\n  - a\n  - b\nlibrary_name: transformers\npipeline_tag: text-generation\nwidget:\n- text: hi\n---\n# Churn\n";

    #[test]
    fn a_card_is_taken_apart() {
        let card = read(CARD);
        let list = |texts: &[&str]| texts.iter().copied().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            card.front_matter.unwrap(),
            FrontMatter {
                licences: list(&["apache-2.0"]),
                tags: list(&["churn", "1.10"]),
                base_models: list(&["org/base"]),
                datasets: list(&["a", "b"]),
                languages: list(&["en", "no"]),
                library_name: Some("transformers".to_owned()),
                pipeline_tag: Some("text-generation".to_owned()),
            }
        );
        assert_eq!(card.markdown, "# Churn\n");
    }

    #[test]
    fn lines_may_end_as_on_windows_and_the_text_begin_with_a_mark() {
        let text = format!("\u{feff}{}", CARD.replace('\n', "\r\n"));
        let card = read(&text);
        assert_eq!(card.front_matter.unwrap().licences, ["apache-2.0"]);
        assert_eq!(card.markdown, "# Churn\r\n");
    }

    #[test]
    fn a_text_without_a_block_is_all_markdown() {
        for text in ["", "# Churn", "---", "---\nno end", "----\na: b\n----\n", "text\n---\na: b\n---\n"] {
            assert_eq!(read(text), Card { front_matter: None, problem: None, markdown: text }, "{text:?}");
        }
    }

    #[test]
    fn a_broken_block_is_reported_and_the_markdown_kept() {
        for block in ["a: [", "- a", "text", &"x".repeat(MOST_BYTES + 1)] {
            let text = format!("---\n{block}\n---\n# Churn\n");
            let card = read(&text);
            assert!(card.front_matter.is_none() && card.problem.is_some(), "{card:?}");
            assert_eq!(card.markdown, "# Churn\n");
        }
        assert_eq!(read("---\n---\nx").front_matter, Some(FrontMatter::default()));
    }

    #[test]
    fn lists_and_texts_are_cut() {
        let text =
            format!("---\ntags:\n{}license: {}\n---\n", "- t\n".repeat(MOST_ITEMS + 1), "é".repeat(300));
        let facts = read(&text).front_matter.unwrap();
        assert_eq!(facts.tags.len(), MOST_ITEMS);
        assert_eq!(facts.licences[0].chars().count(), MOST_TEXT_CHARACTERS + 1);
    }
}
