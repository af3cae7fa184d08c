//! The header of a GGUF file of version 2 or 3, little-endian: key-values, and where the tensors are.

#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::head::Cursor;
use super::tensors::{
    Collector, MOST_DIMENSIONS, MOST_NAME_BYTES, MOST_TENSORS, Span, Tensor, Tensors, elements,
};
use super::{Stop, cut};
use types::{ValueType, file_type, tensor_type};

/// How much of the start of a file is read, in bytes. What makes a header long is its vocabulary; one of 260,000 words
/// with scores and types takes 7 MB.
pub const MOST_BYTES: usize = 16 << 20;

/// How many key-values a file may have.
pub const MOST_KEYS: u64 = 65_536;

/// How many key-values are kept.
pub const MOST_KEPT_KEYS: usize = 512;

/// The longest array whose items are kept; of a longer one, and of an array in an array, only type and length are.
pub const MOST_ITEMS: u64 = 16;

/// The longest text that is kept, in characters; in an array a fifth of that.
pub const MOST_TEXT_CHARACTERS: usize = 1_000;

/// How deep arrays may nest.
const MOST_DEPTH: usize = 4;

const DEFAULT_ALIGNMENT: u64 = 32;

/// What the header says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gguf {
    /// The version of the format.
    pub version: u32,
    /// `general.architecture`: what loads it, such as `llama`.
    pub architecture: Option<String>,
    /// `general.name`.
    pub name: Option<String>,
    /// What `general.file_type` says, such as `Q4_K_M`; else the element type of most parameters.
    pub quantisation: Option<String>,
    /// The key-values, the first [`MOST_KEPT_KEYS`] in the order of their keys.
    pub keys: BTreeMap<String, Value>,
    /// How many key-values there are.
    pub keys_total: u64,
    /// The tensors; dimensions as written, the one that varies fastest first.
    pub tensors: Tensors,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number that is too large for the variant above.
    Unsigned(u64),
    /// A finite number; others are kept as texts, because JSON has none.
    Float(f64),
    /// A text, cut to [`MOST_TEXT_CHARACTERS`].
    Text(String),
    /// Several values of one type.
    Array {
        /// The type of the items, in the words of the format.
        items_type: String,
        /// How many there are.
        length: u64,
        /// The items of an array of at most [`MOST_ITEMS`], else none.
        items: Vec<Value>,
    },
}

impl Value {
    fn of_float(value: f64) -> Self {
        if value.is_finite() { Self::Float(value) } else { Self::Text(value.to_string()) }
    }

    fn of_unsigned(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Unsigned(value), Self::Integer)
    }

    fn unsigned(&self) -> Option<u64> {
        match self {
            Self::Integer(value) => u64::try_from(*value).ok(),
            Self::Unsigned(value) => Some(*value),
            Self::Bool(_) | Self::Float(_) | Self::Text(_) | Self::Array { .. } => None,
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bool(_) | Self::Integer(_) | Self::Unsigned(_) | Self::Float(_) | Self::Array { .. } => {
                None
            }
        }
    }
}

/// Reads the header of a file of `size` bytes that begins with `head`.
pub fn read(head: &[u8], size: u64) -> Result<Gguf, Stop> {
    let mut cursor = Cursor::new(head, size, MOST_BYTES);
    let version = read_version(&mut cursor)?;
    let tensors = read_u64(&mut cursor, "the number of tensors")?;
    let keys = read_u64(&mut cursor, "the number of keys")?;
    if keys > MOST_KEYS || tensors > MOST_TENSORS {
        let reason =
            format!("it claims {keys} keys and {tensors} tensors, more than {MOST_KEYS} and {MOST_TENSORS}");
        return Err(Stop::refused(reason));
    }
    // The length and the type of a value; the length, the number of dimensions, the type and the offset of a tensor.
    cursor.expect_room(keys, 8 + 4 + 1, "keys")?;
    cursor.expect_room(tensors, 8 + 4 + 4 + 8, "tensors")?;
    let keys = read_keys(&mut cursor, keys)?;
    let tensors = read_tensors(&mut cursor, tensors, alignment(&keys)?, size)?;
    let text = |key: &str| keys.get(key).and_then(Value::text);
    Ok(Gguf {
        version,
        architecture: text("general.architecture"),
        name: text("general.name"),
        quantisation: quantisation(&keys, &tensors),
        keys_total: keys.len() as u64,
        keys: keys.into_iter().take(MOST_KEPT_KEYS).collect(),
        tensors,
    })
}

fn quantisation(keys: &BTreeMap<String, Value>, tensors: &Tensors) -> Option<String> {
    let named = keys.get("general.file_type").and_then(Value::unsigned).and_then(file_type);
    named.map(str::to_owned).or_else(|| Some(tensors.types.first()?.dtype.clone()))
}

fn read_version(cursor: &mut Cursor<'_>) -> Result<u32, Stop> {
    if &cursor.array::<4>("the format's mark")? != b"GGUF" {
        return Err(Stop::refused("it does not begin with GGUF"));
    }
    match read_u32(cursor, "the version")? {
        version @ 2..=3 => Ok(version),
        version if (2..=3).contains(&version.swap_bytes()) => {
            Err(Stop::refused("its numbers are big-endian, which is not read here"))
        }
        version => Err(Stop::refused(format!("it is of version {version}, and 2 and 3 are read"))),
    }
}

fn read_keys(cursor: &mut Cursor<'_>, count: u64) -> Result<BTreeMap<String, Value>, Stop> {
    let mut keys = BTreeMap::new();
    for _ in 0..count {
        let key = read_name(cursor, "a key")?;
        let value_type = read_value_type(cursor)?;
        let value = read_value(cursor, value_type, 0)?;
        if keys.insert(key.clone(), value).is_some() {
            return Err(Stop::refused(format!("key {key:?} is there twice")));
        }
    }
    Ok(keys)
}

fn alignment(keys: &BTreeMap<String, Value>) -> Result<u64, Stop> {
    let Some(value) = keys.get("general.alignment") else { return Ok(DEFAULT_ALIGNMENT) };
    value
        .unsigned()
        .filter(|alignment| alignment.is_power_of_two() && u32::try_from(*alignment).is_ok())
        .ok_or_else(|| Stop::refused("its alignment is no power of two"))
}

fn read_tensors(cursor: &mut Cursor<'_>, count: u64, alignment: u64, size: u64) -> Result<Tensors, Stop> {
    let mut collector = Collector::default();
    for _ in 0..count {
        let (tensor, span) = read_tensor(cursor, alignment)?;
        collector.add(tensor, span)?;
    }
    let (tensors, spans) = collector.finish()?;
    let data = size.saturating_sub(cursor.position().next_multiple_of(alignment));
    if let Some(last) = spans.last().filter(|last| last.end > data) {
        let reason = format!("its tensors take {} bytes, and the file has {data} for them", last.end);
        return Err(Stop::refused(reason));
    }
    Ok(tensors)
}

fn read_tensor(cursor: &mut Cursor<'_>, alignment: u64) -> Result<(Tensor, Span), Stop> {
    let name = read_name(cursor, "the name of a tensor")?;
    let dimensions = read_u32(cursor, "the number of dimensions")?;
    if dimensions as usize > MOST_DIMENSIONS {
        return Err(Stop::refused(format!("tensor {name:?} has {dimensions} dimensions")));
    }
    let shape = (0..dimensions).map(|_| read_u64(cursor, "a dimension")).collect::<Result<Vec<_>, _>>()?;
    let number = read_u32(cursor, "the type of a tensor")?;
    let start = read_u64(cursor, "the offset of a tensor")?;
    if !start.is_multiple_of(alignment) {
        return Err(Stop::refused(format!("tensor {name:?} begins at {start}, no multiple of {alignment}")));
    }
    let kind = tensor_type(number);
    let elements = elements(&shape);
    let bytes = match (&kind, elements) {
        // Rows are whole blocks, so that the elements are as well.
        (Some(kind), Some(elements)) if elements.is_multiple_of(kind.block) => {
            (elements / kind.block).checked_mul(kind.bytes)
        }
        // How much a type takes that is not known here cannot be checked.
        (None, Some(_)) => Some(0),
        _ => None,
    };
    let end = bytes.and_then(|bytes| start.checked_add(bytes));
    let dtype = kind.map_or_else(|| format!("type {number}"), |kind| kind.name.to_owned());
    let Some(end) = end else {
        return Err(Stop::refused(format!("tensor {name:?}, {dtype} {shape:?}, cannot be at {start}")));
    };
    Ok((Tensor { name, dtype, shape }, Span { start, end }))
}

fn read_value_type(cursor: &mut Cursor<'_>) -> Result<ValueType, Stop> {
    let number = read_u32(cursor, "the type of a value")?;
    ValueType::of(number).ok_or_else(|| Stop::refused(format!("{number} is no type of a value")))
}

fn read_value(cursor: &mut Cursor<'_>, value_type: ValueType, depth: usize) -> Result<Value, Stop> {
    let what = "a value";
    Ok(match value_type {
        ValueType::Uint8 => Value::Integer(cursor.array::<1>(what)?[0].into()),
        ValueType::Int8 => Value::Integer(i8::from_le_bytes(cursor.array(what)?).into()),
        ValueType::Uint16 => Value::Integer(u16::from_le_bytes(cursor.array(what)?).into()),
        ValueType::Int16 => Value::Integer(i16::from_le_bytes(cursor.array(what)?).into()),
        ValueType::Uint32 => Value::Integer(read_u32(cursor, what)?.into()),
        ValueType::Int32 => Value::Integer(i32::from_le_bytes(cursor.array(what)?).into()),
        ValueType::Uint64 => Value::of_unsigned(read_u64(cursor, what)?),
        ValueType::Int64 => Value::Integer(i64::from_le_bytes(cursor.array(what)?)),
        ValueType::Float32 => {
            let value = f32::from_le_bytes(cursor.array(what)?);
            // By way of its text, so that 1e-5 stays 1e-5.
            Value::of_float(value.to_string().parse().expect("a number is written as one"))
        }
        ValueType::Float64 => Value::of_float(f64::from_le_bytes(cursor.array(what)?)),
        ValueType::Bool => Value::Bool(cursor.array::<1>(what)?[0] != 0),
        ValueType::String => {
            let length = read_u64(cursor, "the length of a text")?;
            let most = if depth == 0 { MOST_TEXT_CHARACTERS } else { MOST_TEXT_CHARACTERS / 5 };
            Value::Text(cut_lossy(cursor.take(length, "a text")?, most))
        }
        ValueType::Array => read_array(cursor, depth + 1)?,
    })
}

/// The text of bytes that perhaps are not all UTF-8, without looking at more of them than are kept.
fn cut_lossy(bytes: &[u8], most: usize) -> String {
    let enough = bytes.len().min((most + 1) * 4);
    cut(&String::from_utf8_lossy(&bytes[..enough]), most)
}

fn read_array(cursor: &mut Cursor<'_>, depth: usize) -> Result<Value, Stop> {
    let items_type = read_value_type(cursor)?;
    let length = read_u64(cursor, "the length of an array")?;
    if depth > MOST_DEPTH {
        return Err(Stop::refused(format!("arrays are nested deeper than {MOST_DEPTH}")));
    }
    cursor.expect_room(length, items_type.least_bytes(), "items of an array")?;
    let mut items = Vec::new();
    if depth == 1 && length <= MOST_ITEMS {
        for _ in 0..length {
            items.push(read_value(cursor, items_type, depth)?);
        }
    } else {
        skip_items(cursor, items_type, length, depth)?;
    }
    Ok(Value::Array { items_type: items_type.name().to_owned(), length, items })
}

fn skip_items(cursor: &mut Cursor<'_>, items_type: ValueType, length: u64, depth: usize) -> Result<(), Stop> {
    match items_type {
        ValueType::String => {
            for _ in 0..length {
                let bytes = read_u64(cursor, "the length of a text")?;
                cursor.take(bytes, "a text")?;
            }
        }
        ValueType::Array => {
            for _ in 0..length {
                read_array(cursor, depth + 1)?;
            }
        }
        // There is room for so many, so that the product is no larger than the file.
        _ => drop(cursor.take(length * items_type.least_bytes(), "an array")?),
    }
    Ok(())
}

fn read_name(cursor: &mut Cursor<'_>, what: &str) -> Result<String, Stop> {
    let length = read_u64(cursor, what)?;
    if length > MOST_NAME_BYTES as u64 {
        return Err(Stop::refused(format!("{what} of {length} bytes is longer than {MOST_NAME_BYTES}")));
    }
    let bytes = cursor.take(length, what)?;
    let text = str::from_utf8(bytes).map_err(|_| Stop::refused(format!("{what} is not UTF-8")))?;
    Ok(text.to_owned())
}

fn read_u32(cursor: &mut Cursor<'_>, what: &str) -> Result<u32, Stop> {
    Ok(u32::from_le_bytes(cursor.array(what)?))
}

fn read_u64(cursor: &mut Cursor<'_>, what: &str) -> Result<u64, Stop> {
    Ok(u64::from_le_bytes(cursor.array(what)?))
}
