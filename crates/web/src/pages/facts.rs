//! What pages say of what model files say of themselves.

use futures_util::TryStreamExt as _;
use modelry_core::Result;
use modelry_core::formats::gguf::Gguf;
use modelry_core::formats::mlmodel::Mlmodel;
use modelry_core::formats::safetensors::Safetensors;
use modelry_core::formats::signature::{Column, Param, Signature};
use modelry_core::formats::tensors::{Tensor, Tensors};
use modelry_core::formats::{self, Facts, FileKind};
use modelry_server::{App, facts, transfer};
use modelry_store::files::Found;

use crate::format;
use crate::views::Pair;
use crate::views::artifacts::{SignatureColumn, SignatureHalf};
use crate::views::facts::FileFacts;

/// The name of the file in which MLflow's clients describe a model.
pub(super) const MLMODEL: &str = "MLmodel";

/// How many tensors a page lists.
const MOST_TENSORS: usize = 500;

/// What the file `MLmodel` says; nothing where it cannot be read.
pub(super) async fn read_mlmodel(app: &App, file: &Found) -> Result<Mlmodel> {
    match facts::read(app, FileKind::Mlmodel, file).await? {
        Facts::Mlmodel(mlmodel) => Ok(mlmodel),
        Facts::Safetensors(_) | Facts::Gguf(_) | Facts::Pickle | Facts::Unreadable { .. } => {
            Ok(Mlmodel::default())
        }
    }
}

/// Reads some bytes of a file.
pub(super) async fn read_range(app: &App, file: &Found, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
    let mut pieces = transfer::read(app, (&file.file.path, &file.bytes, file.file.size_bytes), range).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// What a page says of the file at `path`, which is shown at `href`.
pub(super) fn view(path: &str, href: &str, facts: Facts) -> FileFacts {
    let view = match facts {
        Facts::Safetensors(facts) => safetensors(facts),
        Facts::Gguf(facts) => gguf(facts),
        Facts::Mlmodel(facts) => mlmodel(&facts),
        Facts::Pickle => FileFacts { format: "Pickle", runs_code: true, ..FileFacts::default() },
        Facts::Unreadable { kind, reason } => {
            FileFacts { format: format_name(kind), problem: Some(reason.to_string()), ..FileFacts::default() }
        }
    };
    FileFacts { path: path.to_owned(), href: href.to_owned(), ..view }
}

fn format_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Safetensors => "safetensors",
        FileKind::Gguf => "GGUF",
        FileKind::Mlmodel => MLMODEL,
        FileKind::Pickle => "Pickle",
    }
}

fn pair(key: &str, value: impl Into<String>) -> Pair {
    Pair { key: key.to_owned(), value: value.into() }
}

fn optional(key: &str, value: Option<String>) -> Option<Pair> {
    value.map(|value| pair(key, value))
}

fn safetensors(facts: Safetensors) -> FileFacts {
    FileFacts {
        format: format_name(FileKind::Safetensors),
        figures: totals(&facts.tensors),
        keys: facts.metadata.into_iter().map(|(key, value)| Pair { key, value }).collect(),
        ..tensors(&facts.tensors)
    }
}

fn gguf(facts: Gguf) -> FileFacts {
    let about = [
        optional("Name", facts.name),
        optional("Architecture", facts.architecture),
        optional("Quantisation", facts.quantisation),
    ];
    let key = |(key, value): (String, formats::gguf::Value)| Pair {
        key,
        value: serde_json::to_string(&value).expect("keys of maps are texts and numbers are finite"),
    };
    FileFacts {
        format: format_name(FileKind::Gguf),
        figures: about.into_iter().flatten().chain(totals(&facts.tensors)).collect(),
        keys: facts.keys.into_iter().map(key).collect(),
        ..tensors(&facts.tensors)
    }
}

fn mlmodel(facts: &Mlmodel) -> FileFacts {
    let versions = facts.flavours.iter().flat_map(|flavour| &flavour.versions);
    let versions: Vec<String> = versions
        .filter(|(name, _)| *name != "python_version")
        .map(|(name, version)| format!("{} {version}", name.trim_end_matches("_version")))
        .collect();
    let figures = [
        optional("Libraries", Some(versions.join(", ")).filter(|text| !text.is_empty())),
        optional("Python", facts.python_version.clone()),
        optional("MLflow", facts.mlflow_version.clone()),
        optional("Input example", facts.input_example.clone()),
    ];
    FileFacts {
        format: format_name(FileKind::Mlmodel),
        problem: facts.signature_problem.as_ref().map(|problem| format!("has a signature that {problem}")),
        figures: figures.into_iter().flatten().collect(),
        flavours: flavours(facts),
        signature: signature(facts),
        ..FileFacts::default()
    }
}

/// The libraries that can load a model.
pub(super) fn flavours(facts: &Mlmodel) -> Vec<String> {
    facts.flavours.iter().map(|flavour| flavour.name.clone()).collect()
}

/// What a model takes and gives, those parts that its signature names.
pub(super) fn signature(facts: &Mlmodel) -> Vec<SignatureHalf> {
    let Some(Signature { inputs, outputs, params }) = &facts.signature else { return Vec::new() };
    let columns = |columns: &Vec<Column>| columns.iter().map(signature_column).collect();
    let of_params = |params: &Vec<Param>| params.iter().map(signature_param).collect();
    let halves = [
        ("Inputs", inputs.as_ref().map(columns)),
        ("Outputs", outputs.as_ref().map(columns)),
        ("Parameters", params.as_ref().map(of_params)),
    ];
    let halves =
        halves.into_iter().filter_map(|(title, columns)| Some(SignatureHalf { title, columns: columns? }));
    halves.collect()
}

fn signature_column(column: &Column) -> SignatureColumn {
    SignatureColumn {
        name: column.name.clone().unwrap_or_else(|| "–".to_owned()),
        kind: column.r#type.clone(),
        is_required: column.required,
    }
}

fn signature_param(param: &Param) -> SignatureColumn {
    SignatureColumn {
        name: param.name.clone(),
        kind: format!("{} = {}", param.r#type, param.default),
        is_required: true,
    }
}

fn totals(tensors: &Tensors) -> Vec<Pair> {
    let types =
        tensors.types.iter().map(|total| format!("{} ({})", total.dtype, format::count(total.parameters)));
    vec![
        pair("Parameters", format::count(tensors.parameters)),
        pair("Tensors", format::count(tensors.tensors_total)),
        pair("Types", types.collect::<Vec<_>>().join(", ")),
    ]
}

fn tensors(tensors: &Tensors) -> FileFacts {
    let row = |tensor: &Tensor| {
        let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
        [tensor.name.clone(), tensor.dtype.clone(), shape.join(" × ")]
    };
    let is_cut = tensors.tensors_total > MOST_TENSORS as u64;
    FileFacts {
        tensors: tensors.list.iter().take(MOST_TENSORS).map(row).collect(),
        note: is_cut.then(|| format!("The first {MOST_TENSORS} tensors are listed.")),
        ..FileFacts::default()
    }
}
