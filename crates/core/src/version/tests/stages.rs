//! Stages by their names.

use super::super::stage::Stage;
use crate::Kind;

#[test]
fn stages_are_read_in_any_case_and_printed_in_one() {
    for (text, expected) in
        [("none", "None"), ("STAGING", "Staging"), ("pRoduction", "Production"), ("Archived", "Archived")]
    {
        assert_eq!(text.parse::<Stage>().expect(text).to_string(), expected);
    }
}

#[test]
fn what_is_no_stage_is_refused_in_mlflows_words() {
    let error = "prod".parse::<Stage>().expect_err("no stage");

    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(
        error.message(),
        "Invalid Model Version stage: prod. Value must be one of None, Staging, Production, Archived."
    );
}
