//! A text is refused, or read as a filter or an order whose canonical form is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelry_core::search::entity::{
    Attribute, CANDIDATES, EXPERIMENTS, Entity, LOGGED_MODELS, MODELS, VERSIONS,
};
use modelry_core::search::{parse_filter, parse_order_by, parse_order_field};

fuzz_target!(|text: &str| {
    read(&CANDIDATES, text);
    read(&EXPERIMENTS, text);
    read(&LOGGED_MODELS, text);
    read(&MODELS, text);
    read(&VERSIONS, text);
});

fn read<A: Attribute>(entity: &'static Entity<A>, text: &str) {
    if let Ok(Some(expr)) = parse_filter(entity, text) {
        let printed = expr.to_string();
        assert_eq!(
            parse_filter(entity, &printed).expect("the canonical form is valid"),
            Some(expr),
            "{printed}"
        );
    }
    let items: Vec<String> = text.split(';').map(str::to_owned).collect();
    if let Ok(orders) = parse_order_by(entity, &items) {
        let printed: Vec<_> = orders.iter().map(ToString::to_string).collect();
        let again = parse_order_by(entity, &printed).expect("the canonical form is valid");
        assert_eq!(again, orders, "{printed:?}");
    }
    let _answer = parse_order_field(entity, text);
}
