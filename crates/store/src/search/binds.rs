//! The values of a statement whose text is put together piece by piece.

use modelry_db::Param;

/// Values for the placeholders `$1`, `$2`, ... in the order in which they were added.
#[derive(Default)]
pub struct Binds(Vec<Box<dyn Param>>);

impl Binds {
    /// Adds a value, and answers its placeholder.
    pub(crate) fn add(&mut self, value: impl Param + 'static) -> String {
        self.0.push(Box::new(value));
        format!("${}", self.0.len())
    }

    /// Adds values, and answers their placeholders with commas between them.
    pub(crate) fn add_all<T: Param + 'static>(&mut self, values: impl IntoIterator<Item = T>) -> String {
        values.into_iter().map(|value| self.add(value)).collect::<Vec<_>>().join(", ")
    }

    /// The values, as a statement takes them.
    pub(crate) fn as_params(&self) -> Vec<&dyn Param> {
        self.0.iter().map(|value| &**value).collect()
    }
}
