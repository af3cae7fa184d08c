//! A candidate's files and the files of the models it produced, as one tree with one entry shown beside it.

use askama::Template;

use crate::format::Moment;
use crate::icon::{self, Icon};
use crate::parts::Snippet;
use crate::shell::Shell;
use crate::views::candidate::CandidateHead;
use crate::views::facts::FileFacts;

/// `/:full_path/-/ml/candidates/:iid/artifacts/*path`.
#[derive(Clone, Debug, Template)]
#[template(path = "candidate/artifacts.html")]
pub struct ArtifactsPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: CandidateHead,
    /// The entries, each followed by its children where it is open.
    pub tree: Vec<TreeEntry>,
    /// What the tree leaves out, where it does.
    pub tree_note: Option<String>,
    /// The entry that is shown.
    pub shown: Shown,
}

/// One line of the tree.
#[derive(Clone, Debug)]
pub struct TreeEntry {
    /// The last part of its path.
    pub name: String,
    /// How deep it lies; 0 for the top.
    pub depth: usize,
    /// File, directory or model.
    pub kind: EntryKind,
    /// The page that shows it.
    pub href: String,
    /// How large it is; `None` for directories.
    pub size: Option<String>,
    /// Whether it is the entry shown.
    pub is_shown: bool,
}

/// What an entry of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory whose entries do not follow.
    Closed,
    /// A directory whose entries follow.
    Open,
    /// The directory of a logged model whose entries do not follow.
    ClosedModel,
    /// The directory of a logged model whose entries follow.
    OpenModel,
}

impl EntryKind {
    /// Whether it can hold others.
    pub fn is_directory(self) -> bool {
        self != Self::File
    }

    /// Whether its entries follow.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::OpenModel)
    }

    /// The picture beside the name.
    pub fn icon(self) -> Icon {
        match self {
            Self::File => icon::FILE,
            Self::Closed | Self::Open => icon::FOLDER,
            Self::ClosedModel | Self::OpenModel => icon::BOX,
        }
    }
}

/// The entry beside the tree.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A directory.
    Directory(DirectoryView),
    /// The directory of a logged model.
    Model(Box<ModelView>),
    /// A file.
    File(Box<FileView>),
}

/// A directory.
#[derive(Clone, Debug)]
pub struct DirectoryView {
    /// Its path, or a word for the top.
    pub title: String,
    /// What it holds: `12 files, 4.2 MB`.
    pub summary: String,
    /// Code that downloads it.
    pub download: Snippet,
}

/// A logged model.
#[derive(Clone, Debug)]
pub struct ModelView {
    /// Its name.
    pub name: String,
    /// How far it got: `Ready`; `None` where it is only a directory that looks like a model.
    pub state: Option<&'static str>,
    /// `models:/m-...` or `runs:/...`, which clients take.
    pub uri: String,
    /// The libraries that can load it.
    pub flavours: Vec<String>,
    /// Inputs, outputs and parameters, those that its signature names.
    pub signature: Vec<SignatureHalf>,
    /// The size of its files.
    pub size: String,
    /// How many files it has: `5 files`.
    pub files: String,
    /// When it was made.
    pub created: Option<Moment>,
    /// Code that loads it.
    pub load: Snippet,
}

/// The inputs, outputs or parameters of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureHalf {
    /// `Inputs`, `Outputs`, `Parameters`.
    pub title: &'static str,
    /// What they are.
    pub columns: Vec<SignatureColumn>,
}

/// One input, output or parameter of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureColumn {
    /// Its name; a dash where it has none.
    pub name: String,
    /// Its type: `double`, `tensor(float32, [-1, 28, 28])`.
    pub kind: String,
    /// Whether it must be given.
    pub is_required: bool,
}

/// A file.
#[derive(Clone, Debug)]
pub struct FileView {
    /// The last part of its path.
    pub name: String,
    /// How large it is.
    pub size: String,
    /// What the preview leaves out.
    pub note: Option<String>,
    /// Where its bytes are.
    pub download_href: String,
    /// How to go on reading while it grows; `None` where the end is not shown.
    pub follow: Option<Follow>,
    /// What it says of itself, where it is of a format that is looked into.
    pub facts: Option<FileFacts>,
    /// What it looks like.
    pub preview: Preview,
    /// Code that downloads it.
    pub fetch: Snippet,
}

/// Where the viewer's script goes on reading.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The bytes of the file; answers ranges and entity tags.
    pub href: String,
    /// How many bytes of the file the page was made from.
    pub seen_bytes: u64,
}

/// What a file looks like.
#[derive(Clone, Debug)]
pub enum Preview {
    /// Text, JSON included.
    Text(String),
    /// Comma- or tab-separated values.
    Table(TablePreview),
    /// A picture, at this address.
    Image(String),
    /// Nothing, and why.
    Nothing(String),
}

/// The first rows of a table.
#[derive(Clone, Debug)]
pub struct TablePreview {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// Code that loads the model at `uri`.
pub fn load_model(uri: &str) -> Snippet {
    let code = format!(
        "import mlflow\n\nmodel = mlflow.pyfunc.load_model(\"{uri}\")\npredictions = model.predict(data)\n"
    );
    Snippet { label: "Load it".to_owned(), code }
}

/// Code that downloads what lies at `uri`, a `runs:/` or `models:/` address.
pub fn download(uri: &str) -> Snippet {
    let uri = serde_json::Value::from(uri);
    let code = format!("import mlflow\n\npath = mlflow.artifacts.download_artifacts({uri})\n");
    Snippet { label: "Download it".to_owned(), code }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::Status;
    use crate::views::candidate::{CandidateHead, Tab, tests};
    use crate::views::testing::{check, minutes_ago};
    use modelry_core::status::CandidateStatus;

    const BASE: &str = "/research/churn/-/ml/candidates/12/artifacts";

    fn entry(depth: usize, name: &str, kind: EntryKind, size: Option<&str>) -> TreeEntry {
        TreeEntry {
            name: name.to_owned(),
            depth,
            kind,
            href: format!("{BASE}/{name}"),
            size: size.map(str::to_owned),
            is_shown: false,
        }
    }

    fn tree(shown: &str) -> Vec<TreeEntry> {
        let mut entries = vec![
            entry(0, "models", EntryKind::Open, None),
            entry(1, "model", EntryKind::OpenModel, None),
            entry(2, "MLmodel", EntryKind::File, Some("812 B")),
            entry(2, "conda.yaml", EntryKind::File, Some("241 B")),
            entry(2, "model.pkl", EntryKind::File, Some("1.20 MB")),
            entry(0, "plots", EntryKind::Closed, None),
            entry(
                0,
                "a-rather-long-name-of-a-report-of-the-evaluation.csv",
                EntryKind::File,
                Some("4.21 kB"),
            ),
            entry(0, "train.log", EntryKind::File, Some("18.4 kB")),
        ];
        for entry in &mut entries {
            entry.is_shown = entry.name == shown;
        }
        entries
    }

    fn page(shown_name: &str, shown: Shown) -> ArtifactsPage {
        ArtifactsPage {
            shell: tests::shell(),
            head: CandidateHead { status: Status(CandidateStatus::Running), ..tests::head(Tab::Artifacts) },
            tree: tree(shown_name),
            tree_note: None,
            shown,
        }
    }

    fn file(name: &str, preview: Preview, follow: Option<Follow>) -> Shown {
        Shown::File(Box::new(FileView {
            name: name.to_owned(),
            size: "18.4 kB".to_owned(),
            note: None,
            download_href: format!("{BASE}/{name}?download"),
            follow,
            facts: None,
            preview,
            fetch: download("runs:/4f1d2a90c3b74e57a8e0c1d2b3a4f5e6/train.log"),
        }))
    }

    #[test]
    fn a_log_is_text_that_can_be_followed() {
        let text = "2026-05-28 12:00:01  step 17  loss 0.53  <ok>\n".repeat(30);
        let follow = Follow { href: format!("{BASE}/train.log?raw"), seen_bytes: 18_432 };
        let html = page("train.log", file("train.log", Preview::Text(text), Some(follow))).to_string();
        check("artifact_log", &html);
        assert!(html.contains(r#"data-seen="18432""#));
        assert!(html.contains("&#60;ok&#62;"), "text is never markup");
    }

    #[test]
    fn a_csv_is_a_table() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = TablePreview {
            header: row(["threshold", "precision", "recall"]),
            rows: vec![row(["0.5", "0.81", "0.77"]), row(["0.6", "0.86", "0.70"])],
        };
        let html = page("x.csv", file("x.csv", Preview::Table(table), None)).to_string();
        check("artifact_csv", &html);
        assert!(html.contains("<td>0.86</td>"));
    }

    #[test]
    fn a_file_that_cannot_be_shown_can_be_downloaded() {
        let reason = "This kind of file has no preview.".to_owned();
        let html = page("model.pkl", file("model.pkl", Preview::Nothing(reason), None)).to_string();
        check("artifact_binary", &html);
        assert!(html.contains(&format!(r#"href="{BASE}/model.pkl?download""#)));
    }

    #[test]
    fn a_picture_is_shown() {
        let source = format!("{BASE}/roc.png?raw");
        let html = page("roc.png", file("roc.png", Preview::Image(source.clone()), None)).to_string();
        check("artifact_picture", &html);
        assert!(html.contains(&format!(r#"<img src="{source}" alt="roc.png">"#)));
    }

    #[test]
    fn a_logged_model_says_what_it_takes_and_how_to_load_it() {
        let column = |name: &str, kind: &str, is_required| SignatureColumn {
            name: name.to_owned(),
            kind: kind.to_owned(),
            is_required,
        };
        let uri = "models:/m-8f14e45fceea467a9575b6d28dd0a7bc";
        let model = ModelView {
            name: "model".to_owned(),
            state: Some("Ready"),
            uri: uri.to_owned(),
            flavours: vec!["python_function".to_owned(), "sklearn".to_owned()],
            signature: vec![
                SignatureHalf {
                    title: "Inputs",
                    columns: vec![column("age", "long", true), column("plan", "string", false)],
                },
                SignatureHalf { title: "Outputs", columns: vec![column("–", "double", true)] },
            ],
            size: "1.20 MB".to_owned(),
            files: "5 files".to_owned(),
            created: Some(minutes_ago(40)),
            load: load_model(uri),
        };
        let html = page("model", Shown::Model(Box::new(model))).to_string();
        check("artifact_model", &html);
        assert!(
            html.contains("mlflow.pyfunc.load_model(&#34;models:/m-8f14e45fceea467a9575b6d28dd0a7bc&#34;)")
        );
    }

    #[test]
    fn the_top_of_the_tree_is_summed_up() {
        let directory = DirectoryView {
            title: "All artifacts".to_owned(),
            summary: "7 files, 1.22 MB".to_owned(),
            download: download("runs:/4f1d2a90c3b74e57a8e0c1d2b3a4f5e6/"),
        };
        let html = page("", Shown::Directory(directory.clone())).to_string();
        check("artifacts", &html);
        assert!(html.contains("7 files, 1.22 MB"));

        let bare = ArtifactsPage { tree: Vec::new(), ..page("", Shown::Directory(directory)) };
        check("artifacts_empty", &bare.to_string());
    }
}
