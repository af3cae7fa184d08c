//! What holds for every file.

use proptest::prelude::*;

use super::testing::MLMODEL;
use super::{Facts, FileKind, Reading, compare, front_matter, gguf, mlmodel, read, safetensors};

const KINDS: [FileKind; 4] = [FileKind::Safetensors, FileKind::Gguf, FileKind::Mlmodel, FileKind::Pickle];

const FILES: [(FileKind, &[u8]); 3] = [
    (FileKind::Safetensors, include_bytes!("../../tests/data/small.safetensors")),
    (FileKind::Gguf, include_bytes!("../../tests/data/small.gguf")),
    (FileKind::Mlmodel, MLMODEL.as_bytes()),
];

fn most_bytes(kind: FileKind) -> usize {
    match kind {
        FileKind::Safetensors => safetensors::MOST_BYTES,
        FileKind::Gguf => gguf::MOST_BYTES,
        FileKind::Mlmodel => mlmodel::MOST_BYTES,
        FileKind::Pickle => 0,
    }
}

/// Reads a file by giving what is asked for, and checks that no more is asked for than helps.
fn read_step_by_step(kind: FileKind, file: &[u8]) -> Facts {
    let mut given = 0;
    loop {
        match read(kind, &file[..given], file.len() as u64) {
            Reading::Done(facts) => return facts,
            Reading::NeedsMore(bytes) => {
                assert!(given < bytes && bytes <= file.len().min(most_bytes(kind)), "{bytes} after {given}");
                given = bytes;
            }
        }
    }
}

proptest! {
    #[test]
    fn facts_are_the_same_however_much_is_given_at_once(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        for kind in KINDS {
            let facts = read_step_by_step(kind, &bytes);
            prop_assert_eq!(read(kind, &bytes, bytes.len() as u64), Reading::Done(facts));
        }
    }

    #[test]
    fn facts_of_a_damaged_file_are_stored_and_read_back(
        at in 0_usize..2_000, byte in any::<u8>(), choice in 0..FILES.len(),
    ) {
        let (kind, file) = FILES[choice];
        let mut file = file.to_vec();
        let at = at % file.len();
        file[at] = byte;
        let facts = read_step_by_step(kind, &file);
        let stored = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Facts>(&stored).unwrap(), facts.clone());
        if let Some(comparison) = compare::compare(&facts, &facts) {
            prop_assert!(comparison.is_empty());
        }
    }

    #[test]
    fn a_card_keeps_its_markdown(text in "(---\n)?[a-z:\\[\\]{}&*!\n -]{0,60}(\n---\n)?[a-z\n]{0,20}") {
        let card = front_matter::read(&text);
        prop_assert!(text.ends_with(card.markdown));
        prop_assert!(card.front_matter.is_none() || card.problem.is_none());
    }
}

#[test]
fn a_file_that_is_cut_at_any_byte_is_refused_or_needs_more() {
    for (kind, file) in FILES {
        // The writer of this GGUF file filled its last 16 bytes up.
        let needed = if kind == FileKind::Gguf { file.len() - 16 } else { file.len() };
        for cut in 0..needed {
            match read(kind, &file[..cut], file.len() as u64) {
                Reading::NeedsMore(bytes) => assert!(cut < bytes && bytes <= file.len()),
                // The header of weights ends before the file does.
                Reading::Done(facts) => assert!(facts.unreadable().is_none() && kind != FileKind::Mlmodel),
            }
            // As the store sees it when the upload ended there.
            let facts = read_step_by_step(kind, &file[..cut]);
            assert!(kind == FileKind::Mlmodel || facts.unreadable().is_some(), "{kind:?} cut at {cut}");
        }
    }
}

#[test]
fn a_file_in_which_each_bit_is_flipped_once_never_panics() {
    for (kind, file) in FILES {
        for bit in 0..file.len() * 8 {
            let mut file = file.to_vec();
            file[bit / 8] ^= 1 << (bit % 8);
            drop(read_step_by_step(kind, &file));
        }
    }
}
