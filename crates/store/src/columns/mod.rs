//! Tables of candidates: which keys an experiment has for columns, and the cells of a page.

mod cells;
#[cfg(test)]
mod plans;
mod used;

pub use cells::{Cell, Selection, TableRow};
pub use used::{Count, KeyPage, KeyPlace, KeyQuery, MOST_COUNTED, MOST_KEYS, UsedKey, UsedKeys};
