//! What changed between two files of one format.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Facts;
use super::gguf::Gguf;
use super::mlmodel::Mlmodel;
use super::safetensors::Safetensors;
use super::signature_changes::{self, SignatureChange};
use super::tensors::{Tensor, Tensors};

/// What changed between two files of one format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Single values, in the order of their names.
    pub fields: Vec<FieldChange>,
    /// The tensors of weights files.
    pub tensors: TensorChanges,
    /// The signatures of two `MLmodel`.
    pub signature: Vec<SignatureChange>,
}

impl Comparison {
    /// Whether nothing changed, as far as both files are known.
    pub fn is_empty(&self) -> bool {
        let TensorChanges { added, removed, changed, is_partial: _ } = &self.tensors;
        self.fields.is_empty()
            && self.signature.is_empty()
            && added.is_empty()
            && removed.is_empty()
            && changed.is_empty()
    }
}

/// A single value that changed. Texts that are cut are compared as far as they are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Where it is, such as `quantisation` or `keys.llama.block_count`.
    pub field: String,
    /// The value before; `None` where there was none.
    pub before: Option<String>,
    /// The value after; `None` where there is none.
    pub after: Option<String>,
}

/// How the tensors of two files differ, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TensorChanges {
    /// Those that only the second file has.
    pub added: Vec<Tensor>,
    /// Those that only the first file has.
    pub removed: Vec<Tensor>,
    /// Those whose type or shape differs.
    pub changed: Vec<TensorChange>,
    /// Whether a file has more tensors than are kept by name, so that names behind the last kept one are not compared.
    pub is_partial: bool,
}

/// A tensor that changed its type or shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorChange {
    /// The tensor in the first file.
    pub before: Tensor,
    /// The tensor in the second file.
    pub after: Tensor,
}

/// The changes from `old` to `new`; `None` where they are not of one format that can be compared.
pub fn compare(old: &Facts, new: &Facts) -> Option<Comparison> {
    match (old, new) {
        (Facts::Safetensors(old), Facts::Safetensors(new)) => Some(Comparison {
            fields: field_changes(safetensors_fields(old), safetensors_fields(new)),
            tensors: tensor_changes(&old.tensors, &new.tensors),
            signature: Vec::new(),
        }),
        (Facts::Gguf(old), Facts::Gguf(new)) => Some(Comparison {
            fields: field_changes(gguf_fields(old), gguf_fields(new)),
            tensors: tensor_changes(&old.tensors, &new.tensors),
            signature: Vec::new(),
        }),
        (Facts::Mlmodel(old), Facts::Mlmodel(new)) => Some(Comparison {
            fields: field_changes(mlmodel_fields(old), mlmodel_fields(new)),
            tensors: TensorChanges::default(),
            signature: match (&old.signature, &new.signature) {
                (Some(old), Some(new)) => signature_changes::changes(old, new),
                _ => Vec::new(),
            },
        }),
        _ => None,
    }
}

type Fields = BTreeMap<String, String>;

fn safetensors_fields(facts: &Safetensors) -> Fields {
    let metadata = facts.metadata.iter().map(|(key, value)| (format!("metadata.{key}"), value.clone()));
    metadata.chain(totals(&facts.tensors)).collect()
}

fn gguf_fields(facts: &Gguf) -> Fields {
    let keys = facts.keys.iter().map(|(key, value)| {
        let value = serde_json::to_string(value).expect("keys of maps are texts and numbers are finite");
        (format!("keys.{key}"), value)
    });
    let quantisation = facts.quantisation.clone().map(|value| ("quantisation".to_owned(), value));
    keys.chain(quantisation).chain(totals(&facts.tensors)).collect()
}

fn totals(tensors: &Tensors) -> [(String, String); 2] {
    [
        ("parameters".to_owned(), tensors.parameters.to_string()),
        ("tensors".to_owned(), tensors.tensors_total.to_string()),
    ]
}

/// What describes the model. What tells one save from the next (ids, the time, the size) differs always.
fn mlmodel_fields(facts: &Mlmodel) -> Fields {
    let single = [
        ("mlflow_version", facts.mlflow_version.clone()),
        ("python_version", facts.python_version.clone()),
        ("input_example", facts.input_example.clone()),
        ("signature", Some(if facts.signature.is_some() { "present" } else { "absent" }.to_owned())),
    ];
    let single = single.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
    let environment =
        facts.environment.iter().map(|(tool, file)| (format!("environment.{tool}"), file.clone()));
    let flavours = facts.flavours.iter().flat_map(|flavour| {
        let versions = &flavour.versions;
        let versions =
            versions.iter().map(|(key, value)| (format!("flavours.{}.{key}", flavour.name), value.clone()));
        versions.chain([(format!("flavours.{}", flavour.name), "present".to_owned())])
    });
    single.chain(environment).chain(flavours).collect()
}

fn field_changes(old: Fields, mut new: Fields) -> Vec<FieldChange> {
    let mut changes: Vec<_> = old
        .into_iter()
        .map(|(field, before)| FieldChange { after: new.remove(&field), field, before: Some(before) })
        .filter(|change| change.before != change.after)
        .collect();
    changes.extend(new.into_iter().map(|(field, after)| FieldChange {
        field,
        before: None,
        after: Some(after),
    }));
    changes.sort_by(|left, right| left.field.cmp(&right.field));
    changes
}

fn tensor_changes(old: &Tensors, new: &Tensors) -> TensorChanges {
    let is_partial = !(old.is_complete() && new.is_complete());
    let horizon = [old, new].into_iter().filter_map(horizon).min();
    let is_known = |tensor: &&Tensor| horizon.is_none_or(|horizon| tensor.name.as_str() <= horizon);
    let mut left: BTreeMap<&str, &Tensor> =
        new.list.iter().filter(is_known).map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let mut changes = TensorChanges { is_partial, ..TensorChanges::default() };
    for before in old.list.iter().filter(is_known) {
        match left.remove(before.name.as_str()) {
            None => changes.removed.push(before.clone()),
            Some(after) if after == before => {}
            Some(after) => {
                changes.changed.push(TensorChange { before: before.clone(), after: after.clone() });
            }
        }
    }
    changes.added = left.into_values().cloned().collect();
    changes
}

/// The last name up to which the list is known to be whole, where it is cut.
fn horizon(tensors: &Tensors) -> Option<&str> {
    (!tensors.is_complete()).then(|| tensors.list.last().map_or("", |tensor| tensor.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{GgufFile, MLMODEL, safetensors};
    use super::super::{FileKind, Reading, read};
    use super::*;

    fn facts(kind: FileKind, file: &[u8]) -> Facts {
        match read(kind, file, file.len() as u64) {
            Reading::Done(facts) => facts,
            Reading::NeedsMore(bytes) => panic!("{bytes} bytes are needed"),
        }
    }

    fn weights(entries: &[(&str, &str, u64)]) -> Facts {
        let mut at = 0;
        let entries: Vec<_> = entries
            .iter()
            .map(|(name, dtype, length)| {
                let start = at;
                at += length * if *dtype == "F32" { 4 } else { 2 };
                format!(r#""{name}":{{"dtype":"{dtype}","shape":[{length}],"data_offsets":[{start},{at}]}}"#)
            })
            .collect();
        let file = safetensors(&format!("{{{}}}", entries.join(",")), usize::try_from(at).unwrap());
        facts(FileKind::Safetensors, &file)
    }

    fn names(tensors: &[Tensor]) -> Vec<&str> {
        tensors.iter().map(|tensor| tensor.name.as_str()).collect()
    }

    #[test]
    fn tensors_are_added_removed_retyped_and_reshaped() {
        let old =
            weights(&[("gone", "F32", 1), ("kept", "F32", 2), ("reshaped", "F32", 3), ("retyped", "F32", 4)]);
        let new =
            weights(&[("kept", "F32", 2), ("new", "F32", 1), ("reshaped", "F32", 5), ("retyped", "F16", 4)]);
        let comparison = compare(&old, &new).unwrap();
        assert_eq!(names(&comparison.tensors.added), ["new"]);
        assert_eq!(names(&comparison.tensors.removed), ["gone"]);
        let changed: Vec<_> = comparison
            .tensors
            .changed
            .iter()
            .map(|change| (change.before.name.as_str(), change.after.dtype.as_str(), change.after.shape[0]))
            .collect();
        assert_eq!(changed, [("reshaped", "F32", 5), ("retyped", "F16", 4)]);
        assert_eq!(
            comparison.fields,
            [FieldChange {
                field: "parameters".to_owned(),
                before: Some("10".to_owned()),
                after: Some("12".to_owned())
            }]
        );
    }

    #[test]
    fn nothing_is_said_of_tensors_behind_a_cut() {
        let list = |names: &[&str], tensors_total| Tensors {
            list: names
                .iter()
                .map(|name| Tensor { name: (*name).to_owned(), dtype: "F32".to_owned(), shape: vec![] })
                .collect(),
            tensors_total,
            ..Tensors::default()
        };
        let changes = tensor_changes(&list(&["a", "b"], 9), &list(&["a", "aa", "b", "c"], 4));
        assert_eq!((names(&changes.added), changes.is_partial), (vec!["aa"], true));
        assert!(changes.removed.is_empty());
    }

    #[test]
    fn a_file_does_not_differ_from_itself() {
        let gguf = facts(FileKind::Gguf, include_bytes!("../../tests/data/small.gguf"));
        for facts in [gguf, weights(&[("a", "F32", 1)]), facts(FileKind::Mlmodel, MLMODEL.as_bytes())] {
            assert!(compare(&facts, &facts).unwrap().is_empty());
        }
    }

    #[test]
    fn keys_and_quantisation_of_gguf_files_are_compared() {
        let file = |file_type: u32| {
            let mut file = GgufFile::default();
            file.key("general.file_type", 4, &file_type.to_le_bytes());
            facts(FileKind::Gguf, &file.bytes())
        };
        let comparison = compare(&file(1), &file(15)).unwrap();
        let fields: Vec<_> = comparison.fields.iter().map(|change| change.field.as_str()).collect();
        assert_eq!(fields, ["keys.general.file_type", "quantisation"]);
    }

    #[test]
    fn two_mlmodels_differ_in_versions_and_signature() {
        let old = facts(FileKind::Mlmodel, MLMODEL.as_bytes());
        let changed = MLMODEL
            .replace("sklearn_version: 1.9.1", "sklearn_version: 1.10")
            .replace("\"age\"", "\"years\"");
        let comparison = compare(&old, &facts(FileKind::Mlmodel, changed.as_bytes())).unwrap();
        let fields: Vec<_> = comparison.fields.iter().map(|change| change.field.as_str()).collect();
        assert_eq!(fields, ["flavours.sklearn.sklearn_version"]);
        let said: Vec<_> = comparison.signature.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["required column \"age\" removed", "required column \"years\" added"]);
    }

    #[test]
    fn files_of_two_formats_are_not_compared() {
        assert_eq!(compare(&weights(&[]), &Facts::Pickle), None);
    }
}
