//! The files of a version.

use askama::Template;

use super::State;
use super::version::{Tab, VersionHead};
use crate::parts::Snippet;
use crate::shell::Shell;
use crate::views::artifacts::{Preview, Shown, TreeEntry};

/// `/:full_path/-/ml/models/:id/versions/:number/artifacts/*path`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/files.html")]
pub struct VersionFilesPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: VersionHead,
    /// The entries, each followed by its children where it is open.
    pub tree: Vec<TreeEntry>,
    /// What the tree leaves out, where it does.
    pub tree_note: Option<String>,
    /// The entry that is shown.
    pub shown: Shown,
    /// How files are added; `None` where the reader may not, or the version is published.
    pub upload: Option<UploadForm>,
}

/// How files are added to a draft.
#[derive(Clone, Debug)]
pub struct UploadForm {
    /// What the path of a file follows where its bytes are put.
    pub href: String,
    /// Code that does the same from a client.
    pub from_client: Snippet,
}
