//! The tensors of a weights file: named, typed, shaped, and each in a place of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// How many tensors of a file are kept by name; the totals count all of them.
pub const MOST_KEPT: usize = 2_000;

/// How many tensors a file may have.
pub const MOST_TENSORS: u64 = 131_072;

/// The longest name of a tensor, in bytes.
pub const MOST_NAME_BYTES: usize = 512;

/// The most dimensions of a tensor.
pub const MOST_DIMENSIONS: usize = 16;

/// The longest name of an element type, in bytes.
const MOST_TYPE_BYTES: usize = 32;

/// How many element types a file may use.
const MOST_TYPES: usize = 64;

/// The tensors of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensors {
    /// The first [`MOST_KEPT`] in the order of their names.
    pub list: Vec<Tensor>,
    /// How many there are.
    pub tensors_total: u64,
    /// How many elements all of them have: the parameter count of the model.
    pub parameters: u64,
    /// The totals of each element type, the one with most parameters first.
    pub types: Vec<TypeTotal>,
}

impl Tensors {
    /// Whether `list` names all of them.
    pub fn is_complete(&self) -> bool {
        self.list.len() as u64 == self.tensors_total
    }
}

/// One tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// Its name, unique in the file.
    pub name: String,
    /// The type of its elements, in the words of the format: `F16`, `BF16`, `Q4_K`.
    pub dtype: String,
    /// Its dimensions in the order of the file; a scalar has none.
    pub shape: Vec<u64>,
}

/// What the tensors of one element type come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeTotal {
    /// The type of the elements.
    pub dtype: String,
    /// How many tensors are of it.
    pub tensors: u64,
    /// How many elements they have.
    pub parameters: u64,
}

/// The bytes of a tensor in the data section of its file, the end excluded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Takes the tensors of a file one by one, and checks each against the others.
#[derive(Default)]
pub(super) struct Collector {
    by_name: BTreeMap<String, Tensor>,
    totals: BTreeMap<String, TypeTotal>,
    spans: Vec<Span>,
    parameters: u64,
}

impl Collector {
    /// Takes one tensor, and where its bytes are.
    pub(super) fn add(&mut self, tensor: Tensor, span: Span) -> Result<(), Refusal> {
        check_texts(&tensor)?;
        let elements = elements(&tensor.shape).ok_or_else(|| shape_too_large(&tensor))?;
        let parameters = self.parameters.checked_add(elements).ok_or_else(|| shape_too_large(&tensor))?;
        self.parameters = parameters;
        let total = self.totals.entry(tensor.dtype.clone()).or_insert_with(|| TypeTotal {
            dtype: tensor.dtype.clone(),
            tensors: 0,
            parameters: 0,
        });
        total.tensors += 1;
        total.parameters += elements;
        self.spans.push(span);
        if self.totals.len() > MOST_TYPES {
            return Err(Refusal::new(format!("it uses more than {MOST_TYPES} element types")));
        }
        if self.spans.len() as u64 > MOST_TENSORS {
            return Err(Refusal::new(format!("it has more than {MOST_TENSORS} tensors")));
        }
        match self.by_name.insert(tensor.name.clone(), tensor) {
            None => Ok(()),
            Some(before) => Err(Refusal::new(format!("tensor {:?} is there twice", before.name))),
        }
    }

    /// The tensors, once no two share a byte. Also answers the spans in their order.
    pub(super) fn finish(mut self) -> Result<(Tensors, Vec<Span>), Refusal> {
        self.spans.sort_unstable();
        if let Some(pair) = self.spans.windows(2).find(|pair| pair[1].start < pair[0].end) {
            let reason = format!("two tensors share the bytes from {} to {}", pair[1].start, pair[0].end);
            return Err(Refusal::new(reason));
        }
        let tensors_total = self.by_name.len() as u64;
        let list = self.by_name.into_values().take(MOST_KEPT).collect();
        let mut types: Vec<_> = self.totals.into_values().collect();
        types.sort_by_key(|total| std::cmp::Reverse(total.parameters));
        Ok((Tensors { list, tensors_total, parameters: self.parameters, types }, self.spans))
    }
}

/// How many elements a tensor of this shape has, where that is a number of 64 bits.
pub(super) fn elements(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1_u64, |product, dimension| product.checked_mul(*dimension))
}

fn check_texts(tensor: &Tensor) -> Result<(), Refusal> {
    if tensor.name.len() > MOST_NAME_BYTES {
        return Err(Refusal::new(format!("the name of a tensor is longer than {MOST_NAME_BYTES} bytes")));
    }
    if tensor.dtype.len() > MOST_TYPE_BYTES {
        return Err(Refusal::new(format!("the type of tensor {:?} is longer than any", tensor.name)));
    }
    Ok(())
}

fn shape_too_large(tensor: &Tensor) -> Refusal {
    Refusal::new(format!("tensor {:?} has more elements than can be", tensor.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: impl Into<String>, shape: &[u64]) -> Tensor {
        Tensor { name: name.into(), dtype: "U8".to_owned(), shape: shape.to_vec() }
    }

    fn refusal(tensors: impl IntoIterator<Item = (Tensor, (u64, u64))>) -> String {
        let mut collector = Collector::default();
        for (tensor, (start, end)) in tensors {
            if let Err(refusal) = collector.add(tensor, Span { start, end }) {
                return refusal.reason().to_owned();
            }
        }
        collector.finish().map(drop).unwrap_err().reason().to_owned()
    }

    #[test]
    fn more_tensors_than_are_kept_are_counted() {
        let mut collector = Collector::default();
        for at in 0..MOST_KEPT as u64 + 5 {
            collector.add(tensor(format!("t{at:05}"), &[1, 3]), Span { start: at, end: at + 1 }).unwrap();
        }
        let (tensors, _) = collector.finish().unwrap();
        assert_eq!((tensors.list.len(), tensors.tensors_total), (MOST_KEPT, 2_005));
        assert_eq!(tensors.parameters, 3 * 2_005);
        assert!(!tensors.is_complete());
        assert_eq!(tensors.list.last().unwrap().name, "t01999");
    }

    #[test]
    fn tensors_that_cannot_be_together_are_refused() {
        let a = || tensor("a", &[2]);
        assert_eq!(refusal([(a(), (0, 2)), (a(), (2, 4))]), "tensor \"a\" is there twice");
        let shared = [(a(), (4, 6)), (tensor("b", &[9]), (0, 5))];
        assert_eq!(refusal(shared), "two tensors share the bytes from 4 to 5");
    }

    #[test]
    fn a_product_or_sum_of_dimensions_does_not_overflow() {
        let huge = || tensor("a", &[1 << 32, 1 << 32]);
        assert_eq!(refusal([(huge(), (0, 1))]), "tensor \"a\" has more elements than can be");
        let half = |name: &str| tensor(name, &[1 << 63]);
        let sum = [(half("a"), (0, 1)), (half("b"), (1, 2))];
        assert_eq!(refusal(sum), "tensor \"b\" has more elements than can be");
    }

    #[test]
    fn a_name_or_a_list_of_types_that_is_too_long_is_refused() {
        let long = tensor("x".repeat(MOST_NAME_BYTES + 1), &[]);
        assert_eq!(refusal([(long, (0, 1))]), "the name of a tensor is longer than 512 bytes");
        let typed =
            |at: u64| (Tensor { dtype: format!("T{at}"), ..tensor(format!("{at}"), &[]) }, (at, at + 1));
        assert_eq!(refusal((0..=MOST_TYPES as u64).map(typed)), "it uses more than 64 element types");
        let wordy = Tensor { dtype: "F".repeat(33), ..tensor("a", &[]) };
        assert_eq!(refusal([(wordy, (0, 1))]), "the type of tensor \"a\" is longer than any");
    }
}
