//! The right side of a test as SQL: the same for every entity.

use std::collections::BTreeSet;

use modelry_core::search::expr::{Condition, TextOp};

use super::binds::Binds;

/// SQL that says whether `value`, an SQL expression of the type that the condition is for, satisfies it.
///
/// It is null where `value` is; the caller makes that false.
pub(crate) fn compile(binds: &mut Binds, value: &str, condition: &Condition) -> String {
    match condition {
        Condition::Number { op, value: number } => {
            format!("{value} {} {}", op.symbol(), binds.add(*number))
        }
        Condition::Integer { op, value: number } => {
            format!("{value} {} {}", op.symbol(), binds.add(*number))
        }
        Condition::IntegerIn { negated, values } => {
            // A number that is there twice would only use up placeholders, of which a statement has a limited number.
            let values: BTreeSet<i64> = values.iter().copied().collect();
            format!("{value} {} ({})", in_operator(*negated), binds.add_all(values))
        }
        Condition::Text { op, value: text } => text_condition(binds, value, *op, text),
        Condition::TextIn { negated, values } => {
            let values: BTreeSet<String> = values.iter().cloned().collect();
            format!("{value} {} ({})", in_operator(*negated), binds.add_all(values))
        }
        Condition::Null { negated: false } => format!("{value} IS NULL"),
        Condition::Null { negated: true } => format!("{value} IS NOT NULL"),
    }
}

fn text_condition(binds: &mut Binds, value: &str, op: TextOp, text: &str) -> String {
    let text = binds.add(text.to_owned());
    match op {
        TextOp::Eq | TextOp::Ne => format!("{value} {} {text}", op.symbol()),
        // The grammar has no escape, so a backslash in a pattern is itself.
        TextOp::Like => format!("{value} LIKE {text} ESCAPE ''"),
        TextOp::ILike => format!("lower({value}) LIKE lower({text}) ESCAPE ''"),
    }
}

fn in_operator(negated: bool) -> &'static str {
    if negated { "NOT IN" } else { "IN" }
}
