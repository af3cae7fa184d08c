//! Texts of filters and orders that cover the grammar.

use proptest::prelude::*;
use proptest::sample::select;

/// One test for each operator of each field, on values that some candidates have and others have not.
pub(crate) const TESTS: &[&str] = &[
    "metrics.loss = 0.25",
    "metrics.loss != 0.25",
    "metrics.loss < 0.25",
    "metrics.loss <= 0.25",
    "metrics.loss > 0",
    "metrics.loss >= -1.5",
    "metrics.loss > -1e400",
    "metrics.acc = 0",
    "metrics.acc < -0.0",
    "metrics.acc >= 1e999",
    "metrics.unknown != 1",
    "metrics.lr = 1",
    "params.lr = 'adam'",
    "params.lr = ''",
    "params.lr = 'LONG1'",
    "params.lr != 'LONG1'",
    "params.lr = 'LONG'",
    "params.lr != 'adam'",
    "params.lr LIKE 'a_b'",
    "params.lr LIKE '%0%'",
    r"params.lr LIKE 'a\_'",
    "params.lr ILIKE 'AD%'",
    "params.lr ILIKE 'Ä%'",
    "params.lr IN ('adam', '9', 'adam', 'LONG2')",
    "params.lr NOT IN ('adam', '9')",
    "params.lr IS NULL",
    "params.optimizer IS NOT NULL",
    "params.unknown IS NULL",
    "params.unknown IS NOT NULL",
    "tags.team = '50%'",
    "tags.team != '10'",
    "tags.team LIKE '%r'",
    "tags.team IS NULL",
    "tags.lr = '0.1'",
    "tags.unknown != 'x'",
    "run_id = '000000000000000000000000000003e0'",
    "run_id != '000000000000000000000000000003e0'",
    "run_id IN ('000000000000000000000000000003e0', '000000000000000000000000000003d1', 'x')",
    "run_id NOT IN ('000000000000000000000000000003e0')",
    "run_id LIKE '%e_'",
    "run_name = 'calm_fox'",
    "run_name LIKE 'calm_fox'",
    "`run name` ILIKE 'brave%'",
    "user_id = ''",
    "user_id != 'ada'",
    "status = 'FINISHED'",
    "status != 'RUNNING'",
    "status LIKE 'F%'",
    "status IN ('KILLED', 'SCHEDULED')",
    "artifact_uri LIKE 'mlflow-artifacts:/team/vision/%'",
    "artifact_uri = 'mlflow-artifacts:/0/000000000000000000000000000003e0/artifacts'",
    "start_time > 1000",
    "start_time <= 1000",
    "created = 1000",
    "start_time != 1000",
    "end_time < 5000",
    "end_time != 2000",
    "end_time >= 0",
    "datasets.name = 'iris'",
    "datasets.name != 'iris'",
    "datasets.digest LIKE 'd_'",
    "datasets.digest IN ('d2')",
    "datasets.context = 'eval'",
    "datasets.context != 'eval'",
    "datasets.context NOT IN ('training')",
];

/// Every kind of field that can be ordered by.
pub(crate) const FIELDS: &[&str] = &[
    "metrics.loss",
    "metrics.acc",
    "metrics.unknown",
    "params.lr",
    "params.optimizer",
    "params.unknown",
    "tags.team",
    "tags.lr",
    "run_id",
    "run_name",
    "user_id",
    "status",
    "artifact_uri",
    "start_time",
    "end_time",
];

/// A filter's text, with the long texts written out that its tests only name.
pub(crate) fn written(filter: &str) -> String {
    filter.replace("LONG", &("long ".repeat(25) + "end"))
}

/// Any filter: tests joined by `AND`, `OR` and `NOT`, or none.
pub(crate) fn filter() -> impl Strategy<Value = String> {
    let test = select(TESTS).prop_map(str::to_owned);
    let tree = test.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) AND ({right})")),
            2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) OR ({right})")),
            1 => inner.prop_map(|inner| format!("NOT ({inner})")),
        ]
    });
    prop_oneof![1 => Just(String::new()), 5 => tree]
}

/// Any order: up to three fields, each in a direction.
pub(crate) fn order() -> impl Strategy<Value = Vec<String>> {
    let fields = proptest::sample::subsequence(FIELDS, 0..=3).prop_shuffle();
    (fields, any::<[bool; 3]>()).prop_map(|(fields, descending)| {
        let direction = |descending: bool| if descending { "DESC" } else { "ASC" };
        fields.iter().zip(descending).map(|(field, down)| format!("{field} {}", direction(down))).collect()
    })
}
