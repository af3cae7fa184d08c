//! An arbitrary text is refused as an `MLmodel`, as a signature and as a model card, or read as facts that survive
//! storing.
#![no_main]

mod facts;

use libfuzzer_sys::fuzz_target;
use modelry_core::formats::signature::Signature;
use modelry_core::formats::signature_changes::{changes, required_step};
use modelry_core::formats::{FileKind, front_matter};

fuzz_target!(|text: &str| {
    facts::check(FileKind::Mlmodel, text.as_bytes(), text.len() as u64);

    let card = front_matter::read(text);
    assert!(text.ends_with(card.markdown), "the Markdown is the end of the card");
    let fenced = format!("---\n{text}\n---\nend");
    assert!(front_matter::read(&fenced).markdown.ends_with("end"));

    if let Ok(signature) = Signature::parse(Some(text), None, None) {
        assert!(changes(&signature, &signature).is_empty(), "{signature:?}");
        let none = Signature { inputs: Some(Vec::new()), ..Signature::default() };
        let is_empty = signature.inputs.iter().all(Vec::is_empty);
        assert_eq!(required_step(&none, &signature).is_none(), is_empty, "{signature:?}");
    }
});
