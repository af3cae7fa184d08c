//! YAML read into a tree of texts.
//!
//! The readers of this module want texts under known keys, so no scalar is turned into a number, a date or a truth:
//! a version `1.10` stays `1.10` and the language `no` stays `no`. An alias shares what it names, so that aliases of
//! aliases cost no memory; tags and merge keys mean nothing here.

use std::collections::BTreeMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::Refusal;

/// How deep lists and mappings may nest, aliases followed: dropping a tree takes a call for each level.
const MOST_DEPTH: usize = 64;

/// How many nodes a document may have.
const MOST_NODES: usize = 100_000;

/// A part of a document.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    /// Nothing, or one of the words for it, unquoted.
    Null,
    /// Any other scalar, as it is written.
    Text(String),
    /// A sequence.
    List(Vec<Rc<Node>>),
    /// A mapping: keys and values in turns.
    Map(Vec<Rc<Node>>),
}

impl Node {
    /// The value of a key of a mapping; of a key that is there twice, the last.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }

    /// The keys that are texts, each with its value; none where this is no mapping.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        let items = if let Self::Map(items) = self { items.as_slice() } else { &[] };
        items.chunks_exact(2).filter_map(|pair| Some((pair[0].text()?, pair[1].as_ref())))
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text of a scalar, or the texts of a list of them.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let items = if let Self::List(items) = self { items.as_slice() } else { &[] };
        self.text().into_iter().chain(items.iter().filter_map(|item| item.text()))
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }
}

/// Reads a document; an empty one is [`Node::Null`].
pub(super) fn parse(text: &str) -> Result<Rc<Node>, Refusal> {
    let options = granit_parser::options! {
        disallow_directives: true,
        flow_nesting_limit: MOST_DEPTH,
        block_nesting_limit: MOST_DEPTH,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, _) = event.map_err(|error| refusal_of(&error))?;
        builder.take(event)?;
    }
    Ok(builder.root.unwrap_or_else(|| Rc::new(Node::Null)))
}

fn refusal_of(error: &ScanError) -> Refusal {
    Refusal::new(format!("it is not YAML: line {}: {}", error.marker().line(), error.info()))
}

#[derive(Clone)]
struct Built {
    node: Rc<Node>,
    /// How many levels it has.
    height: usize,
}

/// A list or a mapping whose end has not come.
struct Open {
    is_map: bool,
    anchor: usize,
    items: Vec<Rc<Node>>,
    height: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Built>,
    root: Option<Rc<Node>>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), Refusal> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let node = scalar(text.into_owned(), style);
                self.place(Built { node: Rc::new(node), height: 1 }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { is_map: false, anchor, items: Vec::new(), height: 1 });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                self.open.push(Open { is_map: true, anchor, items: Vec::new(), height: 1 });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { is_map, anchor, items, height } =
                    self.open.pop().expect("an end comes after its start");
                let node = if is_map { Node::Map(items) } else { Node::List(items) };
                self.place(Built { node: Rc::new(node), height }, anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(built) => self.place(built, 0),
                None => Err(Refusal::new("it has an alias inside of what the alias names")),
            },
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(Refusal::new("it has more than one document"))
            }
            // What else there is are marks of where a stream begins and ends.
            _ => Ok(()),
        }
    }

    /// Puts a node where it belongs. An anchor of 0 is none.
    fn place(&mut self, built: Built, anchor: usize) -> Result<(), Refusal> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Refusal::new(format!("it has more than {MOST_NODES} nodes")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        parent.height = parent.height.max(built.height + 1);
        parent.items.push(built.node);
        if parent.height > MOST_DEPTH {
            return Err(Refusal::new(format!("it is nested deeper than {MOST_DEPTH} levels")));
        }
        Ok(())
    }
}

fn scalar(text: String, style: ScalarStyle) -> Node {
    let is_plain = matches!(style, ScalarStyle::Plain);
    if is_plain && ["", "~", "null", "Null", "NULL"].contains(&text.as_str()) {
        Node::Null
    } else {
        Node::Text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().reason().to_owned()
    }

    #[test]
    fn scalars_stay_as_they_are_written() {
        let node = parse("version: 1.10\nlanguage: no\nwhen: 2026-01-01\nquoted: 'null'\nnone: ~\n").unwrap();
        let entries: Vec<_> = node.entries().map(|(key, value)| (key, value.text())).collect();
        let expected = [
            ("version", Some("1.10")),
            ("language", Some("no")),
            ("when", Some("2026-01-01")),
            ("quoted", Some("null")),
            ("none", None),
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn an_alias_is_what_it_names() {
        let node = parse("a: &it [x, y]\nb: *it\n").unwrap();
        assert_eq!(node.get("b").unwrap().texts().collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn aliases_of_aliases_cost_nothing_and_nest_no_deeper_than_lists_do() {
        let doubled = |levels: u32| {
            let line = |at| format!("l{at}: &l{at} [*l{0}, *l{0}]\n", at - 1);
            "l0: &l0 [x]\n".to_owned() + &(1..levels).map(line).collect::<String>()
        };
        assert!(parse(&doubled(60)).is_ok());
        assert_eq!(refusal(&doubled(70)), "it is nested deeper than 64 levels");
    }

    #[test]
    fn what_is_no_bounded_tree_is_refused() {
        assert_eq!(refusal("a: &a [*a]"), "it has an alias inside of what the alias names");
        assert_eq!(refusal(&"[".repeat(100_000)), "it is not YAML: line 1: recursion limit exceeded");
        assert!(refusal(&"- ".repeat(100_000)).starts_with("it is not YAML: line 1"));
        assert_eq!(refusal(&"- x\n".repeat(MOST_NODES + 1)), "it has more than 100000 nodes");
        assert_eq!(refusal("a\n---\nb\n"), "it has more than one document");
        assert!(refusal("a: [").starts_with("it is not YAML: line "));
        assert!(refusal("%YAML 1.2\n---\na").starts_with("it is not YAML: line 1"));
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_counts() {
        assert_eq!(parse("a: 1\na: 2\n").unwrap().get("a").unwrap().text(), Some("2"));
        assert_eq!(*parse("").unwrap(), Node::Null);
    }
}
