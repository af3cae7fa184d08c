//! A filter as a value: what [`parse_filter`](super::parse_filter) makes and SQL is compiled from.
//!
//! `Display` prints it as a filter text that parses to the same value. Only a text that could not have been parsed,
//! because it contains every kind of quote, and an expression not in the form described at [`Expr`] do not come back.

/// A condition on an entity whose attributes are `A`.
///
/// The logic has two values, true and false: a test on something that is missing is false, and its `NOT` true.
/// Parsed expressions are in one form: an `And` or `Or` has two or more parts, none of them of its own kind, and a
/// `Not` holds no `Not`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr<A> {
    /// All of these hold.
    And(Vec<Expr<A>>),
    /// At least one of these holds.
    Or(Vec<Expr<A>>),
    /// This does not hold.
    Not(Box<Expr<A>>),
    /// A single comparison.
    Test(Test<A>),
}

/// A field and what is asked of it. The parser lets only a condition that fits the field through.
#[derive(Clone, Debug, PartialEq)]
pub struct Test<A> {
    /// What is looked at.
    pub field: Field<A>,
    /// What must hold for it.
    pub condition: Condition,
}

/// What a test looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<A> {
    /// An attribute: [`Condition::Text`] and [`Condition::TextIn`], or [`Condition::Integer`], or, for the id of an
    /// experiment, `Integer`, [`Condition::IntegerIn`] and the patterns of `Text`, or, for the number of a version,
    /// `Integer` and `IntegerIn`.
    Attribute(A),
    /// The latest value of the metric of this name: [`Condition::Number`].
    Metric(String),
    /// The param of this name: [`Condition::Text`], [`Condition::TextIn`] and [`Condition::Null`].
    Param(String),
    /// The metadata (MLflow's tag) of this name: as for params.
    Metadata(String),
    /// Any one of the datasets used: [`Condition::Text`] and [`Condition::TextIn`].
    Dataset(DatasetField),
}

/// What a dataset can be searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatasetField {
    /// Its name.
    Name,
    /// Its digest.
    Digest,
    /// What it was used for: the input's tag `mlflow.data.context`.
    Context,
}

/// What must hold for a field. Every condition but `IS NULL` needs the value to be there.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A comparison of a metric. `value` is finite and never -0.0, as metrics are stored. A metric that is NaN
    /// satisfies [`NumberOp::Ne`] and nothing else.
    Number {
        /// How the metric (left) compares with the value (right).
        op: NumberOp,
        /// The number compared with.
        value: f64,
    },
    /// A comparison of an attribute that is a whole number.
    Integer {
        /// How the attribute (left) compares with the value (right).
        op: NumberOp,
        /// The number compared with; a time is in milliseconds since the epoch.
        value: i64,
    },
    /// Whether an attribute that is a whole number is one of `values`.
    IntegerIn {
        /// `NOT IN`.
        negated: bool,
        /// At least one number.
        values: Vec<i64>,
    },
    /// A comparison of a text.
    Text {
        /// How the text (left) compares with the value (right).
        op: TextOp,
        /// The text, or the pattern exactly as it was written.
        value: String,
    },
    /// Whether a text is one of `values`.
    TextIn {
        /// `NOT IN`.
        negated: bool,
        /// At least one text.
        values: Vec<String>,
    },
    /// Whether a param or metadata is missing.
    Null {
        /// `IS NOT NULL`: it is there.
        negated: bool,
    },
}

/// How numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// How texts compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// Matches a pattern: `%` is any text, `_` any character; no escape; case counts.
    Like,
    /// As `Like`, but case does not count.
    ILike,
}

impl<A> Expr<A> {
    /// Every test in it, from left to right.
    pub fn tests(&self) -> Vec<&Test<A>> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Not(inner) => inner.tests(),
            Self::Test(test) => vec![test],
        }
    }
}

impl DatasetField {
    /// Each of them once.
    pub(super) const ALL: [Self; 3] = [Self::Name, Self::Digest, Self::Context];

    /// How it is written after `datasets.`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Digest => "digest",
            Self::Context => "context",
        }
    }

    /// The one written as `name`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl NumberOp {
    /// How it is written, in a filter and in SQL.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

impl TextOp {
    /// How it is written in a filter.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Like => "LIKE",
            Self::ILike => "ILIKE",
        }
    }
}
