//! Which files are looked into, by their names.

use serde::{Deserialize, Serialize};

/// What a file is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// `*.safetensors`.
    Safetensors,
    /// `*.gguf`.
    Gguf,
    /// A file named `MLmodel`.
    Mlmodel,
    /// A format whose loader runs code from the file. Told by the name alone, since a pickle may hide in a zip or be
    /// compressed:
    ///
    /// * `*.pkl`, `*.pickle`, `*.joblib`, `*.cloudpickle` and `*.dill`, also with `.gz`, `.bz2`, `.xz`, `.lzma`,
    ///   `.z` or `.lz4` behind, as joblib compresses;
    /// * `*.pt`, `*.pth` and `*.ckpt`, as `PyTorch` and Lightning save;
    /// * `*.bin` by the names under which `PyTorch` state is saved as `.bin`: `pytorch_model`,
    ///   `diffusion_pytorch_model`, `pytorch_lora_weights`, `adapter_model`, `training_args`, `optimizer` and
    ///   `scheduler`, and what begins so. Other `.bin` files are of too many formats to say.
    ///
    /// Not `*.npy` and `*.npz`: `NumPy` loads objects from them only when told to.
    Pickle,
}

const PICKLES: [&str; 5] = ["pkl", "pickle", "joblib", "cloudpickle", "dill"];
const COMPRESSIONS: [&str; 6] = ["gz", "bz2", "xz", "lzma", "z", "lz4"];
const CHECKPOINTS: [&str; 3] = ["pt", "pth", "ckpt"];
const PYTORCH_BIN: [&str; 7] = [
    "pytorch_model",
    "diffusion_pytorch_model",
    "pytorch_lora_weights",
    "adapter_model",
    "training_args",
    "optimizer",
    "scheduler",
];

impl FileKind {
    /// The kind of the file at `path`; `None` for a file that is not looked into. Endings are of any case, the name
    /// `MLmodel` is of one.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name == "MLmodel" {
            return Some(Self::Mlmodel);
        }
        let (stem, ending) = name.rsplit_once('.')?;
        let (stem, ending) = (stem.to_ascii_lowercase(), ending.to_ascii_lowercase());
        match ending.as_str() {
            "safetensors" => Some(Self::Safetensors),
            "gguf" => Some(Self::Gguf),
            ending if is_pickle(&stem, ending) => Some(Self::Pickle),
            _ => None,
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Gguf => "gguf",
            Self::Mlmodel => "mlmodel",
            Self::Pickle => "pickle",
        }
    }

    /// Whether loading such a file runs code that is in it.
    pub fn runs_code_when_loaded(self) -> bool {
        self == Self::Pickle
    }
}

fn is_pickle(stem: &str, ending: &str) -> bool {
    let is_compressed_pickle = || {
        let inner = stem.rsplit_once('.').map(|(_, inner)| inner);
        COMPRESSIONS.contains(&ending) && inner.is_some_and(|inner| PICKLES.contains(&inner))
    };
    PICKLES.contains(&ending)
        || CHECKPOINTS.contains(&ending)
        || (ending == "bin" && PYTORCH_BIN.iter().any(|name| stem.starts_with(name)))
        || is_compressed_pickle()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name() {
        for (path, kind) in [
            ("model/MLmodel", Some(FileKind::Mlmodel)),
            ("mlmodel", None),
            ("MLmodel.txt", None),
            ("a/model-00001-of-00002.safetensors", Some(FileKind::Safetensors)),
            ("tiny.Q4_K_M.GGUF", Some(FileKind::Gguf)),
            ("safetensors", None),
            ("model.npy", None),
            ("dir.pkl/readme", None),
            ("", None),
        ] {
            assert_eq!(FileKind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn files_whose_loaders_run_code_are_marked() {
        for path in [
            "model.pkl",
            "a.pickle",
            "b.PT",
            "c.pth",
            "d.ckpt",
            "e.joblib",
            "f.joblib.gz",
            "python_model.pkl.xz",
            "g.cloudpickle",
            "h.dill",
            "pytorch_model-00001-of-00002.bin",
            "training_args.bin",
        ] {
            assert!(FileKind::of(path).is_some_and(FileKind::runs_code_when_loaded), "{path}");
        }
        for path in
            ["model.bin", "vocab.bin", "data.gz", "pkl.gz", "model.safetensors", "MLmodel", "notes.bin.gz"]
        {
            assert!(!FileKind::of(path).is_some_and(FileKind::runs_code_when_loaded), "{path}");
        }
    }
}
