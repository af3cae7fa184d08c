//! What each page says: structs without behaviour, filled by a handler and printed by a template.

use crate::parts::Snippet;

pub mod artifacts;
pub mod candidate;
pub mod charts;
pub mod compare;
pub mod connect;
pub mod experiment;
pub mod experiments;
pub mod facts;
pub mod failure;
pub mod members;
pub mod mlflow_links;
pub mod models;
pub mod packages;
pub mod password;
pub mod project;
pub mod projects;
pub mod settings;
pub mod sign_in;
pub mod table;
pub mod tokens;
pub mod users;
pub mod words;

#[cfg(test)]
mod testing;

/// A key and a value, both a client's: a parameter or an entry of metadata.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// One of several exclusive ways to see a page, as a link.
#[derive(Clone, Debug)]
pub struct ViewChoice {
    /// The word on the page.
    pub label: &'static str,
    /// The value in the URL.
    pub value: &'static str,
    /// The page seen that way.
    pub href: String,
    /// Whether it is seen that way now.
    pub is_chosen: bool,
}

/// Code that creates an experiment `name` and logs one candidate to it.
pub fn first_candidate(name: &str) -> Snippet {
    // A JSON string is a Python string, whatever the name holds.
    let name = serde_json::Value::from(name);
    let code = format!(
        "import mlflow\n\nmlflow.set_experiment({name})\n\nwith mlflow.start_run():\n    \
         mlflow.log_param(\"learning_rate\", 0.01)\n    for step in range(10):\n        \
         mlflow.log_metric(\"loss\", 1 / (step + 1), step=step)\n"
    );
    Snippet { label: "Python".to_owned(), code }
}
