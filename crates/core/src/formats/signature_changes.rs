//! What changed between two signatures, and which step between two versions that asks for.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::signature::{Column, Param, Signature};
use crate::version::bump::Step;

/// How many changes a reason names before it counts the rest.
const MOST_NAMED: usize = 3;

/// One change; displayed as `required column "age" added`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureChange {
    /// Where it is.
    pub part: Part,
    /// The name, or the place from 1 on of a column without one.
    pub column: ColumnKey,
    /// How it was; `None` where it was added.
    pub before: Option<ColumnKind>,
    /// How it is; `None` where it was removed.
    pub after: Option<ColumnKind>,
}

/// A part of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What a model takes.
    Inputs,
    /// What it gives.
    Outputs,
    /// What a caller may set.
    Params,
}

/// What tells a column from the others of its part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum ColumnKey {
    /// Its name.
    Name(String),
    /// Its place, from 1 on.
    Place(usize),
}

/// What a column is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnKind {
    /// Its type, as in the signature.
    pub r#type: String,
    /// Whether a caller has to give it.
    pub required: bool,
    /// The default of a parameter, as JSON.
    pub default: Option<String>,
}

/// What the changes between two signatures ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredStep {
    /// The least step that the changes ask for.
    pub step: Step,
    /// The changes that ask for it, such as `required column "age" added`.
    pub reason: String,
}

/// The changes from `old` to `new`: of each part what was removed or changed, then what was added.
///
/// A part about which one of the two signatures does not speak is not compared.
pub fn changes(old: &Signature, new: &Signature) -> Vec<SignatureChange> {
    let columns = |part, old: &Option<Vec<Column>>, new: &Option<Vec<Column>>| match (old, new) {
        (Some(old), Some(new)) => part_changes(part, keyed_columns(old), keyed_columns(new)),
        _ => Vec::new(),
    };
    // Without parameters a signature has none, rather than being silent about them.
    let params = |signature: &Signature| keyed_params(signature.params.as_deref().unwrap_or_default());
    [
        columns(Part::Inputs, &old.inputs, &new.inputs),
        columns(Part::Outputs, &old.outputs, &new.outputs),
        part_changes(Part::Params, params(old), params(new)),
    ]
    .concat()
}

/// The least step that a version with the signature `new` has to take after one with `old`; `None` where any will do.
///
/// A required input that is added, removed or retyped asks for a major step, an optional one or a parameter for a
/// minor one. An input that becomes required counts as added, one that becomes optional asks for a minor step.
pub fn required_step(old: &Signature, new: &Signature) -> Option<RequiredStep> {
    let asking: Vec<_> =
        changes(old, new).into_iter().filter_map(|change| Some((change.required_step()?, change))).collect();
    let step = asking.iter().map(|(step, _)| *step).max()?;
    let mut reasons: Vec<_> =
        asking.iter().filter(|(asked, _)| *asked == step).map(|(_, change)| change.to_string()).collect();
    let unnamed = reasons.len().saturating_sub(MOST_NAMED);
    reasons.truncate(MOST_NAMED);
    let mut reason = reasons.join(", ");
    if unnamed > 0 {
        reason = format!("{reason} and {unnamed} more");
    }
    Some(RequiredStep { step, reason })
}

impl SignatureChange {
    /// The step that this change alone asks for.
    pub fn required_step(&self) -> Option<Step> {
        let is_required = |kind: &Option<ColumnKind>| kind.as_ref().is_some_and(|kind| kind.required);
        let is_retyped = self.retyping().is_some() || self.before.is_none() || self.after.is_none();
        match self.part {
            Part::Outputs => None,
            Part::Params => is_retyped.then_some(Step::Minor),
            Part::Inputs if is_retyped && is_required(&self.before) => Some(Step::Major),
            Part::Inputs if is_required(&self.after) => Some(Step::Major),
            Part::Inputs => Some(Step::Minor),
        }
    }

    /// The types before and after, where it was retyped.
    fn retyping(&self) -> Option<(&str, &str)> {
        let (before, after) = (self.before.as_ref()?, self.after.as_ref()?);
        (before.r#type != after.r#type).then_some((&before.r#type, &after.r#type))
    }

    /// What it is called.
    fn noun(&self) -> String {
        let kind = self.after.as_ref().or(self.before.as_ref());
        let is_tensor = kind.is_some_and(|kind| kind.r#type.starts_with("tensor("));
        let shape = if is_tensor { "tensor" } else { "column" };
        match self.part {
            Part::Inputs => shape.to_owned(),
            Part::Outputs => format!("output {shape}"),
            Part::Params => "parameter".to_owned(),
        }
    }
}

impl fmt::Display for SignatureChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.noun();
        let column = &self.column;
        let adjective = |kind: &ColumnKind| match (self.part, kind.required) {
            (Part::Inputs, true) => "required ",
            (Part::Inputs, false) => "optional ",
            (Part::Outputs | Part::Params, _) => "",
        };
        match (&self.before, &self.after) {
            (None, None) => Ok(()),
            (None, Some(after)) => write!(f, "{}{noun} {column} added", adjective(after)),
            (Some(before), None) => write!(f, "{}{noun} {column} removed", adjective(before)),
            (Some(before), Some(after)) => match self.retyping() {
                Some((old, new)) => {
                    write!(f, "{}{noun} {column} changed from {old} to {new}", adjective(after))
                }
                None if before.required != after.required => {
                    write!(f, "{noun} {column} is now {}", adjective(after).trim_end())
                }
                None => {
                    let default = |kind: &ColumnKind| kind.default.clone().unwrap_or_default();
                    write!(
                        f,
                        "default of {noun} {column} changed from {} to {}",
                        default(before),
                        default(after)
                    )
                }
            },
        }
    }
}

impl fmt::Display for ColumnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "\"{name}\""),
            Self::Place(place) => write!(f, "{place}"),
        }
    }
}

type Keyed = Vec<(ColumnKey, ColumnKind)>;

fn keyed_columns(columns: &[Column]) -> Keyed {
    let key = |place, column: &Column| column.name.clone().map_or(ColumnKey::Place(place), ColumnKey::Name);
    let kind = |column: &Column| ColumnKind {
        r#type: column.r#type.clone(),
        required: column.required,
        default: None,
    };
    (1..).zip(columns).map(|(place, column)| (key(place, column), kind(column))).collect()
}

fn keyed_params(params: &[Param]) -> Keyed {
    let kind = |param: &Param| ColumnKind {
        r#type: param.r#type.clone(),
        required: false,
        default: Some(param.default.clone()),
    };
    params.iter().map(|param| (ColumnKey::Name(param.name.clone()), kind(param))).collect()
}

/// Tells columns of one name apart by how many came before.
fn numbered(columns: Keyed) -> Vec<((ColumnKey, usize), ColumnKind)> {
    let mut seen = BTreeMap::new();
    let mut number = |column: &ColumnKey| {
        let count = seen.entry(column.clone()).or_insert(0);
        *count += 1;
        *count
    };
    columns.into_iter().map(|(column, kind)| ((column.clone(), number(&column)), kind)).collect()
}

fn part_changes(part: Part, old: Keyed, new: Keyed) -> Vec<SignatureChange> {
    let new = numbered(new);
    let mut left: BTreeMap<_, _> = new.iter().cloned().collect();
    let mut changes = Vec::new();
    for (key, before) in numbered(old) {
        let after = left.remove(&key);
        let (column, _) = key;
        if after.as_ref() != Some(&before) {
            changes.push(SignatureChange { part, column, before: Some(before), after });
        }
    }
    let added = new.into_iter().filter_map(|(key, _)| {
        let after = left.remove(&key)?;
        Some(SignatureChange { part, column: key.0, before: None, after: Some(after) })
    });
    changes.extend(added);
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(json: &str) -> Signature {
        Signature::parse(Some(json), None, None).unwrap()
    }

    fn step(old: &Signature, new: &Signature) -> Option<(Step, String)> {
        required_step(old, new).map(|asked| (asked.step, asked.reason))
    }

    /// The step from one list of inputs to another.
    fn input_step(old: &str, new: &str) -> Option<(Step, String)> {
        step(&inputs(&format!("[{old}]")), &inputs(&format!("[{new}]")))
    }

    const PLAN: &str = r#"{"type": "string", "name": "plan", "required": false}"#;
    const PLAN_REQUIRED: &str = r#"{"type": "string", "name": "plan"}"#;
    const AGE: &str = r#"{"type": "double", "name": "age"}"#;

    #[test]
    fn a_required_input_asks_for_a_major_step() {
        let major = |reason: &str| Some((Step::Major, reason.to_owned()));
        assert_eq!(input_step("", AGE), major("required column \"age\" added"));
        assert_eq!(input_step(AGE, ""), major("required column \"age\" removed"));
        let retyped = AGE.replace("double", "long");
        assert_eq!(input_step(AGE, &retyped), major("required column \"age\" changed from double to long"));
        assert_eq!(input_step(PLAN, PLAN_REQUIRED), major("column \"plan\" is now required"));
        let long = PLAN.replace("string", "long");
        let optional = major("optional column \"plan\" changed from string to long");
        assert_eq!(input_step(PLAN_REQUIRED, &long), optional);
    }

    #[test]
    fn an_optional_input_asks_for_a_minor_step() {
        let minor = |reason: &str| Some((Step::Minor, reason.to_owned()));
        assert_eq!(input_step("", PLAN), minor("optional column \"plan\" added"));
        assert_eq!(input_step(PLAN, ""), minor("optional column \"plan\" removed"));
        let retyped = PLAN.replace("string", "long");
        assert_eq!(input_step(PLAN, &retyped), minor("optional column \"plan\" changed from string to long"));
        assert_eq!(input_step(PLAN_REQUIRED, PLAN), minor("column \"plan\" is now optional"));
    }

    #[test]
    fn the_greatest_step_wins_and_only_its_reasons_are_given() {
        let many: Vec<_> = (0..5).map(|at| AGE.replace("age", &format!("c{at}"))).collect();
        let (step, reason) = input_step(PLAN, &many.join(",")).unwrap();
        assert_eq!(step, Step::Major);
        assert_eq!(
            reason,
            "required column \"c0\" added, required column \"c1\" added, required column \"c2\" added and 2 more"
        );
    }

    #[test]
    fn the_order_of_columns_and_what_is_not_said_ask_for_nothing() {
        assert_eq!(input_step(&format!("{AGE},{PLAN}"), &format!("{PLAN},{AGE}")), None);
        assert_eq!(step(&Signature::default(), &inputs(&format!("[{AGE}]"))), None);
        let outputs = |json| Signature::parse(None, Some(json), None).unwrap();
        let (old, new) = (outputs(r#"[{"type": "long"}]"#), outputs(r#"[{"type": "double"}]"#));
        assert_eq!(step(&old, &new), None);
        assert_eq!(changes(&old, &new)[0].to_string(), "output column 1 changed from long to double");
    }

    #[test]
    fn two_columns_of_one_name_are_compared_one_by_one() {
        let retyped = AGE.replace("double", "long");
        let both = format!("{AGE},{retyped}");
        assert_eq!(input_step(&both, &both), None);
        assert_eq!(input_step(&both, AGE), Some((Step::Major, "required column \"age\" removed".to_owned())));
    }

    #[test]
    fn tensors_without_names_are_told_by_their_places() {
        let tensor = |shape: &str| {
            format!(r#"{{"type": "tensor", "tensor-spec": {{"dtype": "float32", "shape": {shape}}}}}"#)
        };
        let reason = "required tensor 1 changed from tensor(float32, [-1, 3]) to tensor(float32, [-1, 4])";
        assert_eq!(
            input_step(&tensor("[-1, 3]"), &tensor("[-1, 4]")),
            Some((Step::Major, reason.to_owned()))
        );
    }

    #[test]
    fn a_parameter_asks_for_a_minor_step_and_its_default_for_none() {
        let params = |json| Signature::parse(None, None, Some(json)).unwrap();
        let old = params(r#"[{"name": "t", "type": "double", "default": 0.5}]"#);
        let none = Signature::default();
        assert_eq!(step(&none, &old), Some((Step::Minor, "parameter \"t\" added".to_owned())));
        let other = params(r#"[{"name": "t", "type": "double", "default": 0.7}]"#);
        assert_eq!(step(&old, &other), None);
        let said: Vec<_> = changes(&old, &other).iter().map(ToString::to_string).collect();
        assert_eq!(said, ["default of parameter \"t\" changed from 0.5 to 0.7"]);
    }
}
