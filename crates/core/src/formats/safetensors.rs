//! The header of a safetensors file: eight bytes that say how long the JSON after them is, and that JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::head::Cursor;
use super::tensors::{Collector, MOST_DIMENSIONS, Span, Tensor, Tensors, elements};
use super::{Refusal, Stop, cut};

/// How much of the start of a file is read, in bytes. The format allows a header of 100 MB; one of 16 MiB describes
/// more than 100,000 tensors.
pub const MOST_BYTES: usize = 16 << 20;

/// How many entries of the metadata are kept.
pub const MOST_METADATA: usize = 256;

/// The longest value of the metadata that is kept, in characters; keys are kept to a fifth of that.
pub const MOST_METADATA_CHARACTERS: usize = 1_000;

/// What the header says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Safetensors {
    /// The tensors.
    pub tensors: Tensors,
    /// The free texts under `__metadata__`, the first [`MOST_METADATA`] of the file.
    pub metadata: BTreeMap<String, String>,
}

/// Reads the header of a file of `size` bytes that begins with `head`.
pub fn read(head: &[u8], size: u64) -> Result<Safetensors, Stop> {
    let mut cursor = Cursor::new(head, size, MOST_BYTES);
    let length = u64::from_le_bytes(cursor.array("the length of the header")?);
    let json = cursor.take(length, "the header")?;
    if json.first() != Some(&b'{') {
        return Err(Stop::refused("its header is no JSON object"));
    }
    let header: Header = serde_json::from_slice(json)
        .map_err(|error| Stop::refused(format!("its header is not as it must be: {error}")))?;
    let (tensors, spans) = header.tensors.finish()?;
    check_coverage(&spans, size - cursor.position())?;
    Ok(Safetensors { tensors, metadata: header.metadata })
}

/// Every byte of the data belongs to a tensor: the format asks for it, so that nothing can hide between two tensors.
fn check_coverage(spans: &[Span], data: u64) -> Result<(), Refusal> {
    let mut covered = 0;
    for span in spans {
        if span.start != covered {
            return Err(Refusal::new(format!("bytes {covered} to {} belong to no tensor", span.start)));
        }
        covered = span.end;
    }
    if covered > data {
        return Err(Refusal::new(format!(
            "its tensors take {covered} bytes, and the file has {data} for them"
        )));
    }
    if covered < data {
        return Err(Refusal::new(format!("bytes {covered} to {data} belong to no tensor")));
    }
    Ok(())
}

/// The bits of one element; `None` for a type that is not known here, whose sizes go unchecked.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

/// The header while it is read: each tensor is checked as it comes, so that a lie early ends the reading early.
#[derive(Default)]
struct Header {
    tensors: Collector,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        header.metadata = map.next_value::<Metadata>()?.0;
                    } else {
                        let entry: Entry = map.next_value()?;
                        header.take(name, entry).map_err(|refusal| A::Error::custom(refusal.reason()))?;
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}

impl Header {
    fn take(&mut self, name: String, entry: Entry) -> Result<(), Refusal> {
        let Entry { dtype, shape: Shape(shape), data_offsets: [start, end] } = entry;
        let tensor = Tensor { name, dtype, shape };
        let claimed = end.checked_sub(start);
        let needed = elements(&tensor.shape).zip(bits(&tensor.dtype)).and_then(|(elements, bits)| {
            let bits = elements.checked_mul(bits)?;
            bits.is_multiple_of(8).then_some(bits / 8)
        });
        if claimed.is_none() || (bits(&tensor.dtype).is_some() && claimed != needed) {
            let Tensor { name, dtype, shape } = &tensor;
            let reason = format!("tensor {name:?}, {dtype} {shape:?}, cannot be the bytes {start} to {end}");
            return Err(Refusal::new(reason));
        }
        self.tensors.add(tensor, Span { start, end })
    }
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Shape,
    data_offsets: [u64; 2],
}

/// A list of dimensions, no longer than any tensor has.
struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShapeVisitor;
        impl<'de> Visitor<'de> for ShapeVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MOST_DIMENSIONS} dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
                let mut shape = Vec::new();
                while let Some(dimension) = list.next_element()? {
                    if shape.len() == MOST_DIMENSIONS {
                        return Err(A::Error::invalid_length(MOST_DIMENSIONS + 1, &self));
                    }
                    shape.push(dimension);
                }
                Ok(Shape(shape))
            }
        }
        deserializer.deserialize_seq(ShapeVisitor)
    }
}

/// Texts by key, cut to what is kept.
struct Metadata(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetadataVisitor;
        impl<'de> Visitor<'de> for MetadataVisitor {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts by key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut kept = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if kept.len() < MOST_METADATA {
                        kept.insert(
                            cut(&key, MOST_METADATA_CHARACTERS / 5),
                            cut(&value, MOST_METADATA_CHARACTERS),
                        );
                    }
                }
                Ok(Metadata(kept))
            }
        }
        deserializer.deserialize_map(MetadataVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tensors::TypeTotal;
    use super::super::testing::safetensors;
    use super::*;

    fn refusal(header: &str, data: usize) -> String {
        let file = safetensors(header, data);
        match read(&file, file.len() as u64) {
            Err(Stop::Refused(refusal)) => refusal.reason().to_owned(),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_file_of_the_python_package_is_read() {
        let file = include_bytes!("../../tests/data/small.safetensors");
        let facts = read(file, file.len() as u64).unwrap();
        let tensor = |name: &str, dtype: &str, shape: &[u64]| Tensor {
            name: name.to_owned(),
            dtype: dtype.to_owned(),
            shape: shape.to_vec(),
        };
        let total = |dtype: &str, parameters| TypeTotal { dtype: dtype.to_owned(), tensors: 1, parameters };
        let expected = Tensors {
            list: vec![
                tensor("bias", "F16", &[3]),
                tensor("step", "I64", &[]),
                tensor("weight", "F32", &[2, 3]),
            ],
            tensors_total: 3,
            parameters: 10,
            types: vec![total("F32", 6), total("F16", 3), total("I64", 1)],
        };
        assert_eq!(facts.tensors, expected);
        assert_eq!(facts.metadata["licence"], "apache-2.0");
    }

    #[test]
    fn only_the_header_is_needed() {
        let file =
            safetensors(r#"{"a":{"dtype":"F32","shape":[250000000],"data_offsets":[0,1000000000]}}"#, 0);
        let facts = read(&file, file.len() as u64 + 1_000_000_000).unwrap();
        assert_eq!(facts.tensors.parameters, 250_000_000);
    }

    #[test]
    fn a_length_that_cannot_be_is_refused_at_once() {
        for (length, size, says) in [
            (4_u64 << 30, 100, "and the file has 92 left"),
            (u64::MAX, u64::MAX, "only the first 16777216 of the file are read"),
            (17 << 20, 1 << 40, "only the first 16777216 of the file are read"),
        ] {
            let Err(Stop::Refused(refusal)) = read(&length.to_le_bytes(), size) else { panic!("{length}") };
            assert!(refusal.reason().ends_with(says), "{refusal}");
        }
    }

    #[test]
    fn offsets_that_lie_are_refused() {
        let one = |offsets: &str| format!(r#"{{"a":{{"dtype":"U8","shape":[4],"data_offsets":{offsets}}}}}"#);
        let text = "cannot be the bytes";
        assert!(refusal(&one("[4,0]"), 4).contains(text));
        assert!(refusal(&one("[0,5]"), 5).contains(text));
        assert!(refusal(&one("[18446744073709551615,3]"), 4).contains(text));
        assert_eq!(refusal(&one("[0,4]"), 3), "its tensors take 4 bytes, and the file has 3 for them");
        assert_eq!(refusal(&one("[0,4]"), 6), "bytes 4 to 6 belong to no tensor");
        assert_eq!(refusal(&one("[2,6]"), 6), "bytes 0 to 2 belong to no tensor");
    }

    #[test]
    fn a_header_of_another_form_is_refused() {
        for header in [
            "",
            "[]",
            "{",
            r#"{"a":1}"#,
            r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
            r#"{"a":{"dtype":"F32","shape":[1]}}"#,
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
            r#"{"__metadata__":{"a":1}}"#,
            r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
            r#"{"a":{"dtype":"NEW","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
            r#"{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,0]}}"#,
            r#"{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}"#,
        ] {
            assert!(!refusal(header, 0).is_empty());
        }
        let deep = format!(r#"{{"a":{}"#, "[".repeat(1_000_000));
        assert!(refusal(&deep, 0).starts_with("its header is not as it must be"));
    }

    #[test]
    fn metadata_is_cut_to_what_is_kept() {
        let long = "é".repeat(MOST_METADATA_CHARACTERS + 1);
        let entries: Vec<_> = (0..MOST_METADATA + 9).map(|at| format!("\"k{at}\":\"{long}\"")).collect();
        let file = safetensors(&format!("{{\"__metadata__\":{{{}}}}}", entries.join(",")), 0);
        let facts = read(&file, file.len() as u64).unwrap();
        assert_eq!(facts.metadata.len(), MOST_METADATA);
        assert_eq!(facts.metadata["k0"].chars().count(), MOST_METADATA_CHARACTERS + 1);
        assert!(facts.metadata["k0"].ends_with('…'));
    }
}
