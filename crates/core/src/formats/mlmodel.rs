//! The file `MLmodel`, in which MLflow's clients describe a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::head::Cursor;
use super::signature::Signature;
use super::yaml::{self, Node};
use super::{Refusal, Stop, cut};

/// The largest file that is read, in bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// How many flavours are kept.
pub const MOST_FLAVOURS: usize = 32;

/// How many versions of a flavour are kept, and how many files of the environment.
pub const MOST_ENTRIES: usize = 4;

/// The longest text that is kept, in characters, but for the signature.
pub const MOST_TEXT_CHARACTERS: usize = 300;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mlmodel {
    /// The libraries that can load the model, the first [`MOST_FLAVOURS`] of the file.
    pub flavours: Vec<Flavour>,
    /// What the model takes and gives, whole.
    pub signature: Option<Signature>,
    /// Why there is a signature that cannot be read.
    pub signature_problem: Option<Refusal>,
    /// Where the example of an input is, below the folder of the file.
    pub input_example: Option<String>,
    /// The id that the client made up.
    pub model_uuid: Option<String>,
    /// The logged model that it is.
    pub model_id: Option<String>,
    /// The run that made it.
    pub run_id: Option<String>,
    /// The version of the client that wrote the file.
    pub mlflow_version: Option<String>,
    /// When it was written, as the client says it.
    pub utc_time_created: Option<String>,
    /// The size of the model as the client counted it.
    pub model_size_bytes: Option<u64>,
    /// The version of Python that it was made with.
    pub python_version: Option<String>,
    /// The files that describe its environment by what reads them, such as `conda`, below the folder of the file.
    pub environment: BTreeMap<String, String>,
}

/// A library that can load the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flavour {
    /// Its name, such as `sklearn`.
    pub name: String,
    /// Its fields whose names end in `version`, such as `sklearn_version`.
    pub versions: BTreeMap<String, String>,
}

/// Reads a file of `size` bytes that begins with `head`; all of it is needed.
pub fn read(head: &[u8], size: u64) -> Result<Mlmodel, Stop> {
    let mut cursor = Cursor::new(head, size, MOST_BYTES);
    let bytes = cursor.take(size, "the file")?;
    let text = str::from_utf8(bytes).map_err(|_| Stop::refused("it is not UTF-8"))?;
    let root = yaml::parse(text)?;
    if !root.is_map() {
        return Err(Stop::refused("it is not a mapping of keys to values"));
    }
    Ok(describe(&root))
}

fn describe(root: &Node) -> Mlmodel {
    let (signature, signature_problem) =
        match root.get("signature").filter(|node| node.is_map()).map(signature) {
            None => (None, None),
            Some(Ok(signature)) => (Some(signature), None),
            Some(Err(problem)) => (None, Some(problem)),
        };
    let flavours = root.get("flavors");
    let python = flavours.and_then(|flavours| flavours.get("python_function"));
    Mlmodel {
        flavours: flavours.map(read_flavours).unwrap_or_default(),
        signature,
        signature_problem,
        input_example: root.get("saved_input_example_info").and_then(|info| text_of(info, "artifact_path")),
        model_uuid: text_of(root, "model_uuid"),
        model_id: text_of(root, "model_id"),
        run_id: text_of(root, "run_id"),
        mlflow_version: text_of(root, "mlflow_version"),
        utc_time_created: text_of(root, "utc_time_created"),
        model_size_bytes: root
            .get("model_size_bytes")
            .and_then(Node::text)
            .and_then(|text| text.parse().ok()),
        python_version: python.and_then(|python| text_of(python, "python_version")),
        environment: python.and_then(|python| python.get("env")).map(environment).unwrap_or_default(),
    }
}

fn signature(node: &Node) -> Result<Signature, Refusal> {
    let part = |key| node.get(key).and_then(Node::text);
    Signature::parse(part("inputs"), part("outputs"), part("params"))
}

fn read_flavours(flavours: &Node) -> Vec<Flavour> {
    flavours
        .entries()
        .take(MOST_FLAVOURS)
        .map(|(name, fields)| Flavour {
            name: cut(name, MOST_TEXT_CHARACTERS),
            versions: texts(fields.entries().filter(|(key, _)| key.ends_with("version"))),
        })
        .collect()
}

/// Clients before MLflow 2 name one file, for conda; later ones a file for each tool.
fn environment(env: &Node) -> BTreeMap<String, String> {
    texts(env.entries().chain([("conda", env)]))
}

/// The first entries whose values are texts.
fn texts<'a>(entries: impl Iterator<Item = (&'a str, &'a Node)>) -> BTreeMap<String, String> {
    entries
        .filter_map(|(key, value)| {
            Some((cut(key, MOST_TEXT_CHARACTERS), cut(value.text()?, MOST_TEXT_CHARACTERS)))
        })
        .take(MOST_ENTRIES)
        .collect()
}

fn text_of(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.text().map(|text| cut(text, MOST_TEXT_CHARACTERS))
}

#[cfg(test)]
mod tests {
    use super::super::testing::MLMODEL;
    use super::*;

    fn read_text(text: &str) -> Result<Mlmodel, Stop> {
        read(text.as_bytes(), text.len() as u64)
    }

    #[test]
    fn a_file_of_the_python_package_is_read() {
        let facts = read_text(MLMODEL).unwrap();
        let flavours: Vec<_> = facts
            .flavours
            .iter()
            .map(|flavour| (flavour.name.as_str(), flavour.versions.values().cloned().collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            flavours,
            [("python_function", vec!["3.11.7".to_owned()]), ("sklearn", vec!["1.9.1".to_owned()])]
        );
        assert_eq!(facts.input_example.as_deref(), Some("input_example.json"));
        assert_eq!(facts.model_uuid.as_deref(), Some("8baf4c94cef64904997ad2cb514ea03c"));
        assert_eq!(facts.model_id.as_deref(), Some("m-8baf4c94cef64904997ad2cb514ea03c"));
        assert_eq!(facts.run_id.as_deref(), Some("0d3b8a4e9f6c4a7d8e2b1c5f7a9d0e3f"));
        assert_eq!(facts.mlflow_version.as_deref(), Some("3.17.2"));
        assert_eq!(facts.utc_time_created.as_deref(), Some("2026-11-22 02:45:50.950030"));
        assert_eq!(facts.model_size_bytes, Some(5519));
        assert_eq!(facts.python_version.as_deref(), Some("3.11.7"));
        let environment = [("conda", "conda.yaml"), ("virtualenv", "python_env.yaml")];
        assert!(facts.environment.iter().map(|(tool, file)| (tool.as_str(), file.as_str())).eq(environment));
    }

    #[test]
    fn a_signature_that_is_folded_over_lines_is_read() {
        let signature = read_text(MLMODEL).unwrap().signature.unwrap();
        let columns: Vec<_> = [&signature.inputs, &signature.outputs]
            .into_iter()
            .flatten()
            .flatten()
            .map(|column| {
                format!("{} {} {}", column.name.as_deref().unwrap_or("-"), column.r#type, column.required)
            })
            .collect();
        assert_eq!(
            columns,
            [
                "age double true",
                "it's plan string false",
                "tags array(string) true",
                "o object(a: long, b?: string) true",
                "m map(float) true",
                "- tensor(float64, [-1, 3]) true",
            ]
        );
        assert_eq!(signature.params.unwrap().len(), 2);
    }

    #[test]
    fn one_file_for_the_environment_is_that_of_conda() {
        let facts = read_text("flavors:\n  python_function:\n    env: conda.yaml\n").unwrap();
        assert_eq!(facts.environment["conda"], "conda.yaml");
    }

    #[test]
    fn lists_and_texts_are_cut() {
        let long = "é".repeat(MOST_TEXT_CHARACTERS + 1);
        let versions: Vec<_> = (0..=MOST_ENTRIES).map(|at| format!("    v{at}_version: {long}\n")).collect();
        let flavours: Vec<_> = (0..MOST_FLAVOURS).map(|at| format!("  f{at}: {{}}\n")).collect();
        let text = format!("flavors:\n  f:\n{}{}", versions.concat(), flavours.concat());
        let facts = read_text(&text).unwrap();
        assert_eq!(facts.flavours.len(), MOST_FLAVOURS);
        assert_eq!(facts.flavours[0].versions.len(), MOST_ENTRIES);
        assert_eq!(facts.flavours[0].versions["v0_version"].chars().count(), MOST_TEXT_CHARACTERS + 1);
    }

    #[test]
    fn a_signature_that_cannot_be_read_leaves_the_rest() {
        let facts = read_text("mlflow_version: 3.1.0\nsignature:\n  inputs: '[{'\n").unwrap();
        assert_eq!(facts.mlflow_version.as_deref(), Some("3.1.0"));
        assert!(facts.signature.is_none());
        assert!(facts.signature_problem.unwrap().reason().starts_with("the inputs of its signature"));
        assert_eq!(read_text("signature: null").unwrap(), Mlmodel::default());
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        for text in ["", "12345", "- a", "a: [", "a: b: c"] {
            assert!(matches!(read_text(text), Err(Stop::Refused(_))), "{text:?}");
        }
        assert!(matches!(read(b"\xff\xfe", 2), Err(Stop::Refused(_))));
        let Err(Stop::Refused(refusal)) = read(&[], 1 << 21) else { panic!("too large") };
        assert_eq!(
            refusal.reason(),
            "the file takes 2097152 bytes, and only the first 1048576 of the file are read"
        );
    }
}
