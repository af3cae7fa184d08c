//! What a model file says of itself.

use super::Pair;
use super::artifacts::SignatureHalf;

/// The facts of one file.
#[derive(Clone, Debug, Default)]
pub struct FileFacts {
    /// The path of the file below what is shown.
    pub path: String,
    /// The page that shows the file.
    pub href: String,
    /// `MLmodel`, `safetensors`, `GGUF` or `Pickle`.
    pub format: &'static str,
    /// Whether loading the file runs code that is in it.
    pub runs_code: bool,
    /// Why it cannot be read, where it cannot.
    pub problem: Option<String>,
    /// The few figures that matter.
    pub figures: Vec<Pair>,
    /// The libraries that can load it.
    pub flavours: Vec<String>,
    /// What the model takes and gives.
    pub signature: Vec<SignatureHalf>,
    /// Keys and values that the writer put there.
    pub keys: Vec<Pair>,
    /// The tensors: name, type and shape.
    pub tensors: Vec<[String; 3]>,
    /// What is left out, where something is.
    pub note: Option<String>,
}
