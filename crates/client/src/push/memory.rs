//! Which draft a push that was cut off was filling.

use std::fs;
use std::path::{Path, PathBuf};

use modelry_core::Result;
use serde::{Deserialize, Serialize};

use super::Push;
use crate::api::Version;
use crate::hash;
use crate::http::Api;
use crate::login::write_private;

/// What is remembered of pushes of one folder to one model with one wish.
#[derive(Debug)]
pub(super) struct Memory {
    kept_in: PathBuf,
}

/// The draft.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// Its number in the project.
    pub(super) id: i64,
    /// Its sequence number in the model.
    pub(super) number: i64,
}

impl Memory {
    /// The memory of a push of `dir`, which is an absolute path.
    pub(super) fn of(cache: &Path, api: &Api, dir: &Path, push: &Push<'_>) -> Self {
        let place = api.place();
        let key = format!(
            "{}\n{}\n{}\n{}\n{}",
            place.server,
            place.project,
            push.target.model,
            push.wish.text(),
            dir.display()
        );
        Self { kept_in: cache.join("pushes").join(hash::of_text(&key).to_string()) }
    }

    /// The draft of a push that did not end. What cannot be read is none.
    pub(super) fn find(&self) -> Option<Remembered> {
        serde_json::from_slice(&fs::read(&self.kept_in).ok()?).ok()
    }

    /// Remembers a draft.
    pub(super) fn keep(&self, version: &Version) -> Result<()> {
        let remembered = Remembered { id: version.id, number: version.number };
        let text = serde_json::to_vec(&remembered).expect("two numbers are JSON");
        write_private(&self.kept_in, &text)
    }

    /// Forgets it. What cannot be removed is found to be published the next time.
    pub(super) fn forget(&self) {
        let _ = fs::remove_file(&self.kept_in);
    }
}
