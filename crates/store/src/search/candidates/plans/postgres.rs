//! What PostgreSQL must not do, whatever it thinks of how many rows there are.

use modelry_testkit::postgres;

use super::*;

/// The plan of a search whose first condition drives; `None` where there is no server.
async fn plan(filter: &'static str, order: &'static [&'static str], unseen: bool) -> Option<String> {
    let database = postgres(Schema::Product).await?;
    let value = |order: &str| {
        if order.starts_with("metrics.") { SortValue::Number(0.5) } else { SortValue::Text("a".to_owned()) }
    };
    let start = Some(place(order.iter().map(|order| (0, value(order))).collect()));
    Some(plan_on(database, Shape { filter, order, start, by: By::FirstCondition, unseen, ..SHAPE }).await)
}

/// How what was gathered is gone about: the part of the plan that `numbers` are in.
fn after_gathering(plan: &str) -> &str {
    let lines = plan.match_indices("Limit").map(|(at, _)| at).collect::<Vec<_>>();
    &plan[lines[lines.len() - 1]..]
}

#[tokio::test]
async fn what_was_gathered_is_looked_up_by_number_though_rows_are_thought_to_be_rare() {
    let (at_once, one_by_one) = ("id = ANY ($", "id = numbers.number");
    for (order, filter, by) in [
        (&["user_id DESC"][..], "metrics.acc > 0.5", at_once),
        (&["metrics.loss DESC"], "params.lr = '0.1'", at_once),
        (&["params.lr", "tags.team DESC"], "metrics.acc > 0.5", at_once),
        (&["metrics.loss", "metrics.acc"], "user_id = 'a'", at_once),
        (&["run_name"], "metrics.acc > 0.5 AND status = 'FAILED'", one_by_one),
        (&["params.lr"], "metrics.acc > 0.5 AND run_name = 'a'", one_by_one),
        (&["params.lr", "tags.team DESC"], "metrics.acc > 0.5 AND params.lr != 'a'", one_by_one),
    ] {
        let Some(plan) = plan(filter, order, false).await else { return };
        let looked_up = after_gathering(&plan);
        let (mut scans, mut by_numbers) = (0, 0);
        let mut lines = looked_up.lines().peekable();
        while let Some(line) = lines.next() {
            if !line.contains("Index") || !line.contains("Scan") {
                continue;
            }
            scans += 1;
            let condition = lines.peek().copied().unwrap_or_default();
            by_numbers += usize::from(condition.contains(by));
            let is_by_number = condition.contains(by) || condition.contains("candidate_id = c.id)");
            assert!(is_by_number && !line.contains("_by_"), "{filter} by {order:?}:\n{plan}");
        }
        let sources = looked_up.matches("Function Scan on unnest").count();
        assert!(
            sources == usize::from(by == one_by_one) && by_numbers > 0 && scans > 0,
            "{filter} by {order:?}:\n{plan}"
        );
        assert!(!looked_up.contains("Seq Scan"), "{filter} by {order:?}:\n{plan}");
    }
}

#[tokio::test]
async fn what_orders_is_read_beside_the_key_that_it_is_looked_up_by() {
    for (order, key) in [
        (&["metrics.loss DESC"][..], "metric_latest"),
        (&["params.lr"], "params"),
        (&["tags.team"], "metadata"),
    ] {
        let Some(plan) = plan("metrics.acc > 0.5", order, true).await else { return };
        let scan = format!("Index Only Scan using {key}_pkey");
        assert!(after_gathering(&plan).contains(&scan), "by {order:?}:\n{plan}");
    }
}
