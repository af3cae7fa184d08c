use super::super::testing::GgufFile;
use super::*;

fn read_all(file: &[u8]) -> Result<Gguf, Stop> {
    read(file, file.len() as u64)
}

fn refusal(file: &GgufFile) -> String {
    match read_all(&file.bytes()) {
        Err(Stop::Refused(refusal)) => refusal.reason().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_file_of_the_python_package_is_read() {
    let facts = read_all(include_bytes!("../../../tests/data/small.gguf")).unwrap();
    assert_eq!(facts.version, 3);
    assert_eq!(facts.architecture.as_deref(), Some("llama"));
    assert_eq!(facts.name.as_deref(), Some("tiny"));
    assert_eq!(facts.quantisation.as_deref(), Some("F16"));
    assert_eq!(facts.keys_total, 8);
    assert_eq!(facts.keys["llama.attention.layer_norm_rms_epsilon"], Value::Float(1e-5));
    assert_eq!(facts.keys["tiny.ok"], Value::Bool(true));
    let array = |items_type: &str, length, items: &[i64]| Value::Array {
        items_type: items_type.to_owned(),
        length,
        items: items.iter().copied().map(Value::Integer).collect(),
    };
    assert_eq!(facts.keys["tokenizer.ggml.tokens"], array("string", 20, &[]));
    assert_eq!(facts.keys["llama.sizes"], array("int32", 3, &[1, 2, 3]));
    let tensors: Vec<_> =
        facts.tensors.list.iter().map(|tensor| (tensor.name.as_str(), tensor.dtype.as_str())).collect();
    assert_eq!(tensors, [("blk.0.bias", "F32"), ("blk.0.weight", "F16")]);
    assert_eq!(facts.tensors.list[1].shape, [32, 2]);
    assert_eq!(facts.tensors.parameters, 68);
}

#[test]
fn values_of_every_type_are_kept() {
    let mut file = GgufFile::default();
    for (key, value_type, bytes) in [
        ("a", 0_u32, &[255][..]),
        ("b", 1, &[255]),
        ("c", 2, &[255, 255]),
        ("d", 3, &[255, 255]),
        ("e", 4, &[255; 4]),
        ("f", 5, &[255; 4]),
        ("g", 6, &1.5_f32.to_le_bytes()),
        ("h", 7, &[1]),
        ("i", 8, b"\x02\0\0\0\0\0\0\0hi"),
        ("j", 10, &[255; 8]),
        ("k", 11, &[255; 8]),
        ("l", 12, &f64::NAN.to_le_bytes()),
    ] {
        file.key(key, value_type, bytes);
    }
    let facts = read_all(&file.bytes()).unwrap();
    let shown = serde_json::to_string(&facts.keys).unwrap();
    assert_eq!(
        shown,
        r#"{"a":255,"b":-1,"c":65535,"d":-1,"e":4294967295,"f":-1,"g":1.5,"h":true,"i":"hi","j":18446744073709551615,"k":-1,"l":"NaN"}"#
    );
}

#[test]
fn a_long_text_is_cut_and_a_long_list_of_keys_too() {
    let mut file = GgufFile::default();
    let template = [&2_000_u64.to_le_bytes()[..], &[b'x'; 2_000]].concat();
    file.key("a.template", 8, &template);
    for at in 0..MOST_KEPT_KEYS {
        file.key(&format!("b{at:04}"), 7, &[0]);
    }
    let facts = read_all(&file.bytes()).unwrap();
    assert_eq!((facts.keys.len(), facts.keys_total), (512, 513));
    assert_eq!(facts.keys["a.template"].text().unwrap().chars().count(), MOST_TEXT_CHARACTERS + 1);
}

#[test]
fn without_a_file_type_the_quantisation_is_that_of_most_parameters() {
    let mut file = GgufFile::default();
    file.tensor("a", &[32], 0, 0).tensor("b", &[256, 2], 12, 128).data(128 + 288);
    assert_eq!(read_all(&file.bytes()).unwrap().quantisation.as_deref(), Some("Q4_K"));
    file.key("general.file_type", 4, &15_u32.to_le_bytes());
    assert_eq!(read_all(&file.bytes()).unwrap().quantisation.as_deref(), Some("Q4_K_M"));
}

#[test]
fn a_tensor_type_of_the_future_is_named_by_its_number() {
    let mut file = GgufFile::default();
    file.tensor("a", &[7], 999, 0);
    assert_eq!(read_all(&file.bytes()).unwrap().tensors.list[0].dtype, "type 999");
}

#[test]
fn counts_that_cannot_be_are_refused_at_once() {
    let counts = GgufFile::claiming;
    assert!(refusal(&counts(0, 1_000_000_000)).starts_with("it claims 1000000000 keys"));
    assert!(refusal(&counts(u64::MAX, 0)).starts_with("it claims 0 keys and 18446744073709551615 tensors"));
    assert_eq!(refusal(&counts(0, 100)), "100 keys are claimed, more than the rest of the file can hold");
    assert_eq!(refusal(&counts(100, 0)), "100 tensors are claimed, more than the rest of the file can hold");
    let head = counts(0, 1_000_000_000).bytes();
    assert!(matches!(read(&head, 1 << 40), Err(Stop::Refused(_))), "a large file cannot have so many either");
}

#[test]
fn lengths_of_texts_and_arrays_that_lie_are_refused() {
    let with = |value_type, bytes: &[u8]| {
        let mut file = GgufFile::default();
        file.key("a", value_type, bytes);
        refusal(&file)
    };
    assert!(with(8, &u64::MAX.to_le_bytes()).starts_with("a text takes 18446744073709551615 bytes"));
    let array = |items: u32, length: u64| [&items.to_le_bytes()[..], &length.to_le_bytes()].concat();
    assert!(with(9, &array(0, u64::MAX)).ends_with("more than the rest of the file can hold"));
    assert!(with(9, &array(8, u64::MAX / 2)).ends_with("more than the rest of the file can hold"));
    assert_eq!(with(9, &array(9, 1).repeat(6)), "arrays are nested deeper than 4");
    assert_eq!(with(99, &[]), "99 is no type of a value");
}

#[test]
fn tensors_that_are_not_where_they_claim_are_refused() {
    let with = |tensors: &[(&str, &[u64], u32, u64)], data| {
        let mut file = GgufFile::default();
        for (name, shape, kind, offset) in tensors {
            file.tensor(name, shape, *kind, *offset);
        }
        refusal(file.data(data))
    };
    assert_eq!(with(&[("a", &[8], 0, 0)], 31), "its tensors take 32 bytes, and the file has 31 for them");
    assert_eq!(with(&[("a", &[8], 0, 7)], 99), "tensor \"a\" begins at 7, no multiple of 32");
    assert!(with(&[("a", &[8], 0, u64::MAX - 63)], 99).starts_with("its tensors take 18446744073709551"));
    assert!(with(&[("a", &[64], 0, u64::MAX - 31)], 99).ends_with("cannot be at 18446744073709551584"));
    assert!(with(&[("a", &[1 << 62], 0, 0)], 99).ends_with("cannot be at 0"));
    assert!(with(&[("a", &[33], 2, 0)], 99).ends_with("Q4_0 [33], cannot be at 0"));
    assert_eq!(
        with(&[("a", &[16], 0, 0), ("b", &[8], 0, 32)], 99),
        "two tensors share the bytes from 32 to 64"
    );
}

#[test]
fn a_file_that_is_not_such_a_gguf_is_refused() {
    for (bytes, says) in [
        (&b"GGML\x03\0\0\0"[..], "it does not begin with GGUF"),
        (b"GGUF\x01\0\0\0", "it is of version 1, and 2 and 3 are read"),
        (b"GGUF\0\0\0\x03", "its numbers are big-endian, which is not read here"),
        (b"GGUF\x03\0\0\0\x01", "the number of tensors takes 8 bytes, and the file has 1 left"),
    ] {
        let Err(Stop::Refused(refusal)) = read_all(bytes) else { panic!("{says}") };
        assert_eq!(refusal.reason(), says);
    }
}

#[test]
fn a_key_or_an_alignment_that_cannot_be_is_refused() {
    let mut twice = GgufFile::default();
    twice.key("a", 7, &[0]).key("a", 7, &[1]);
    assert_eq!(refusal(&twice), "key \"a\" is there twice");
    let mut odd = GgufFile::default();
    odd.key("general.alignment", 4, &24_u32.to_le_bytes());
    assert_eq!(refusal(&odd), "its alignment is no power of two");
    let mut none = GgufFile::default();
    none.key("general.alignment", 4, &[0; 4]);
    assert_eq!(refusal(&none), "its alignment is no power of two");
}
