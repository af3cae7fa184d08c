//! What PostgreSQL must not do, whatever it thinks of how many rows there are.

use modelry_testkit::postgres;

use super::*;

/// The plan of a search whose first condition drives; `None` where there is no server.
async fn plan(filter: &'static str, order: &'static [&'static str]) -> Option<String> {
    let database = postgres(Schema::Product).await?;
    let keys = order.iter().map(|_| (0, SortValue::Text("a".to_owned())));
    let start = Some(place(keys.collect()));
    Some(plan_on(database, Shape { filter, order, start, by: By::FirstCondition, ..SHAPE }).await)
}

/// How what was gathered is gone about: the part of the plan that `numbers` are in.
fn after_gathering(plan: &str) -> &str {
    let lines = plan.match_indices("Limit").map(|(at, _)| at).collect::<Vec<_>>();
    &plan[lines[lines.len() - 1]..]
}

#[tokio::test]
async fn what_was_gathered_is_looked_up_by_number_though_rows_are_thought_to_be_rare() {
    for (order, filter) in [
        (&["user_id DESC"][..], "metrics.acc > 0.5"),
        (&["run_name"], "metrics.acc > 0.5 AND status = 'FAILED'"),
        (&["params.lr"], "metrics.acc > 0.5 AND run_name = 'a'"),
        (&["params.lr", "tags.team DESC"], "metrics.acc > 0.5 AND params.lr != 'a'"),
    ] {
        let Some(plan) = plan(filter, order).await else { return };
        let looked_up = after_gathering(&plan);
        let (mut scans, mut numbers) = (0, 0);
        let mut lines = looked_up.lines().peekable();
        while let Some(line) = lines.next() {
            numbers += usize::from(line.contains("Function Scan on unnest"));
            if !line.contains("Index") || !line.contains("Scan") {
                continue;
            }
            scans += 1;
            let condition = lines.peek().copied().unwrap_or_default();
            let is_by_number = condition.contains("id = numbers.number") && !line.contains("_by_");
            assert!(is_by_number, "{filter} by {order:?}:\n{plan}");
        }
        assert!(
            numbers == 1 && scans > 0 && !looked_up.contains("Seq Scan"),
            "{filter} by {order:?}:\n{plan}"
        );
    }
}
