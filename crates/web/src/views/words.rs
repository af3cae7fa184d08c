//! What the words mean.

use askama::Template;

use crate::parts::Snippet;
use crate::shell::Shell;

/// `/help/words`.
#[derive(Clone, Debug, Template)]
#[template(path = "words.html")]
pub struct WordsPage {
    /// The surroundings.
    pub shell: Shell,
    words: &'static [Word],
    examples: Vec<Snippet>,
}

/// A word, what it means, and what MLflow calls it.
#[derive(Clone, Copy, Debug)]
struct Word {
    name: &'static str,
    meaning: &'static str,
    mlflow: &'static str,
}

const WORDS: &[Word] = &[
    Word {
        name: "Project",
        meaning: "Holds experiments and models, and decides by its members and its visibility who may see and change them.",
        mlflow: "",
    },
    Word {
        name: "Experiment",
        meaning: "A collection of candidates that can be compared.",
        mlflow: "experiment",
    },
    Word {
        name: "Candidate",
        meaning: "One training attempt: its parameters, metrics, metadata and artifacts.",
        mlflow: "run",
    },
    Word { name: "Run ID", meaning: "The 32 digits by which a client knows a candidate.", mlflow: "run_id" },
    Word {
        name: "Metadata",
        meaning: "Keys and values on a candidate, an experiment, a model or a version.",
        mlflow: "tags",
    },
    Word {
        name: "Parameter",
        meaning: "A setting of one training attempt; it never changes.",
        mlflow: "param",
    },
    Word { name: "Metric", meaning: "A number that is measured, once or at every step.", mlflow: "metric" },
    Word {
        name: "Artifact",
        meaning: "A file of a candidate, or of a model it produced.",
        mlflow: "artifact",
    },
    Word {
        name: "Logged model",
        meaning: "A model that a candidate produced; clients load it by its models:/m-… address.",
        mlflow: "logged model",
    },
    Word {
        name: "Model",
        meaning: "A name in the model registry, with versions below it and an experiment of the same name.",
        mlflow: "registered model",
    },
    Word {
        name: "Version",
        meaning: "One release of a model: a semantic version, such as 1.2.0, and a sequence number, such as #2.",
        mlflow: "model version",
    },
    Word {
        name: "Draft",
        meaning: "A version whose files may still change; ranges and stages find it once it is published.",
        mlflow: "",
    },
    Word {
        name: "Alias",
        meaning: "A name, such as champion, that points at one version and can be moved to another.",
        mlflow: "alias",
    },
    Word { name: "Dataset", meaning: "What a candidate was trained or evaluated on.", mlflow: "dataset" },
];

impl WordsPage {
    /// The page in its surroundings.
    pub fn new(shell: Shell) -> Self {
        let example = |label: &str, code: &str| Snippet { label: label.to_owned(), code: code.to_owned() };
        let examples = vec![
            example("Good ones", "metrics.`val/auc` > 0.9 AND status = 'FINISHED'"),
            example("Of two people", "user_id IN ('ada', 'grace') AND NOT tags.team = 'growth'"),
        ];
        Self { shell, words: WORDS, examples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{check, shell};

    #[test]
    fn the_words_page_says_what_mlflow_calls_a_candidate() {
        let html = WordsPage::new(shell("Words", "/help/words")).to_string();
        check("words", &html);
        assert!(html.contains("<th scope=\"row\">Candidate</th>"));
        assert!(html.contains("<td>run</td>"));
    }
}
