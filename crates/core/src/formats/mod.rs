//! Readers of the headers of model files: what a file says of itself, without its weights.
//!
//! No I/O: [`read`] is handed the start of a file and its size, and answers what it found or how much of the start
//! it needs. A caller with ranged reads begins with nothing, and fetches until it is answered:
//!
//! ```
//! use modelry_core::formats::{FileKind, Reading, read};
//!
//! let file = b"\x02\0\0\0\0\0\0\0{}";
//! let mut head: &[u8] = &[];
//! let facts = loop {
//!     match read(FileKind::Safetensors, head, file.len() as u64) {
//!         Reading::NeedsMore(bytes) => head = &file[..bytes],
//!         Reading::Done(facts) => break facts,
//!     }
//! };
//! assert!(facts.unreadable().is_none());
//! ```
//!
//! A file is input from strangers. Nothing is allocated because a header claims a length; at most the limit of the
//! format is ever asked for (16 MiB of a weights file, 1 MiB of an `MLmodel`); and what a header gets wrong, lies
//! included, is a [`Refusal`] to be stored and shown like any other fact.

pub mod compare;
pub mod front_matter;
pub mod gguf;
mod head;
mod kind;
pub mod mlmodel;
mod refusal;
pub mod safetensors;
pub mod signature;
pub mod signature_changes;

pub mod tensors;
mod yaml;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

use serde::{Deserialize, Serialize};

pub use head::Stop;
pub use kind::FileKind;
pub use refusal::Refusal;

use gguf::Gguf;
use mlmodel::Mlmodel;
use safetensors::Safetensors;

/// What a file says of itself, as kept on the file of a version.
///
/// Bounded, whatever the file: lists are cut at the numbers that are documented where they are defined, and long
/// texts end in `…`. Only a signature is kept whole, since two versions are compared by it; the size of an `MLmodel`
/// bounds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Facts {
    /// Weights as safetensors.
    Safetensors(Safetensors),
    /// Weights as GGUF.
    Gguf(Gguf),
    /// The description of a model by MLflow's clients.
    Mlmodel(Mlmodel),
    /// Told by the name alone: loading the file runs code that is in it.
    Pickle,
    /// The name promises a format that the bytes do not keep.
    Unreadable {
        /// The format that the name promises.
        kind: FileKind,
        /// What is wrong.
        reason: Refusal,
    },
}

impl Facts {
    /// Whether loading the file runs code that is in it.
    pub fn runs_code_when_loaded(&self) -> bool {
        matches!(self, Self::Pickle)
    }

    /// Why the file cannot be read, where it cannot.
    pub fn unreadable(&self) -> Option<&Refusal> {
        match self {
            Self::Unreadable { reason, .. } => Some(reason),
            Self::Safetensors(_) | Self::Gguf(_) | Self::Mlmodel(_) | Self::Pickle => None,
        }
    }
}

/// What the start of a file came to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is answered")]
pub enum Reading {
    /// Call again with this many bytes of the start of the file: more than were given, no more than the file has.
    NeedsMore(usize),
    /// The facts, a refusal included.
    Done(Facts),
}

/// Reads the facts of a file of `size` bytes from its first bytes, `head`.
pub fn read(kind: FileKind, head: &[u8], size: u64) -> Reading {
    let facts = match kind {
        FileKind::Safetensors => safetensors::read(head, size).map(Facts::Safetensors),
        FileKind::Gguf => gguf::read(head, size).map(Facts::Gguf),
        FileKind::Mlmodel => mlmodel::read(head, size).map(Facts::Mlmodel),
        FileKind::Pickle => Ok(Facts::Pickle),
    };
    match facts {
        Ok(facts) => Reading::Done(facts),
        Err(Stop::NeedsMore(bytes)) => Reading::NeedsMore(bytes),
        Err(Stop::Refused(reason)) => Reading::Done(Facts::Unreadable { kind, reason }),
    }
}

/// The text, ended by `…` after `most` characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pickle_is_marked_without_reading_a_byte() {
        let Reading::Done(facts) = read(FileKind::Pickle, &[], 1 << 40) else { panic!("nothing is needed") };
        assert!(facts.runs_code_when_loaded());
    }

    #[test]
    fn a_refusal_is_a_fact_with_the_format_that_was_promised() {
        let Reading::Done(facts) = read(FileKind::Gguf, b"none", 4) else { panic!("all of it was given") };
        assert_eq!(
            serde_json::to_value(&facts).unwrap(),
            serde_json::json!({"format": "unreadable", "kind": "gguf", "reason": "it does not begin with GGUF"})
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("größer", 3), "grö…");
        assert_eq!(cut("grö", 3), "grö");
    }
}
