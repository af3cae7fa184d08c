//! Small files for tests, written by hand from the published layouts.

/// A safetensors file with this header and `data` bytes behind it.
pub(super) fn safetensors(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

/// A GGUF file in the making.
#[derive(Default)]
pub(super) struct GgufFile {
    keys: (u64, Vec<u8>),
    tensors: (u64, Vec<u8>),
    data: usize,
    claimed: Option<(u64, u64)>,
}

impl GgufFile {
    /// Adds a key whose value is the bytes.
    pub(super) fn key(&mut self, key: &str, value_type: u32, bytes: &[u8]) -> &mut Self {
        let (count, written) = &mut self.keys;
        *count += 1;
        for part in [&text(key)[..], &value_type.to_le_bytes(), bytes] {
            written.extend_from_slice(part);
        }
        self
    }

    /// Adds a tensor.
    pub(super) fn tensor(&mut self, name: &str, shape: &[u64], kind: u32, offset: u64) -> &mut Self {
        let (count, written) = &mut self.tensors;
        *count += 1;
        let dimensions = u32::try_from(shape.len()).unwrap();
        let shape: Vec<u8> = shape.iter().flat_map(|dimension| dimension.to_le_bytes()).collect();
        for part in
            [&text(name)[..], &dimensions.to_le_bytes(), &shape, &kind.to_le_bytes(), &offset.to_le_bytes()]
        {
            written.extend_from_slice(part);
        }
        self
    }

    /// Has `bytes` bytes of data behind the header.
    pub(super) fn data(&mut self, bytes: usize) -> &mut Self {
        self.data = bytes;
        self
    }

    /// A file without any that claims so many tensors and keys.
    pub(super) fn claiming(tensors: u64, keys: u64) -> Self {
        Self { claimed: Some((tensors, keys)), ..Self::default() }
    }

    /// The file, of version 3.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (tensors, keys) = self.claimed.unwrap_or((self.tensors.0, self.keys.0));
        let mut file = [
            b"GGUF\x03\0\0\0",
            &tensors.to_le_bytes()[..],
            &keys.to_le_bytes(),
            &self.keys.1,
            &self.tensors.1,
        ]
        .concat();
        if self.data > 0 {
            file.resize(file.len().next_multiple_of(32) + self.data, 0);
        }
        file
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// An `MLmodel` as MLflow 3 writes it.
pub(super) const MLMODEL: &str = r#"artifact_path: mlflow-artifacts:/1/models/m-1/artifacts
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.skops
    serialization_format: skops
    sklearn_version: 1.9.1
is_signature_from_type_hint: false
mlflow_version: 3.17.2
model_id: m-8baf4c94cef64904997ad2cb514ea03c
model_size_bytes: 5519
model_uuid: 8baf4c94cef64904997ad2cb514ea03c
prompts: null
run_id: 0d3b8a4e9f6c4a7d8e2b1c5f7a9d0e3f
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "string",
    "name": "it''s plan", "required": false}, {"type": "array", "items": {"type": "string"},
    "name": "tags", "required": true}, {"type": "object", "properties": {"a": {"type":
    "long", "required": true}, "b": {"type": "string", "required": false}}, "name":
    "o", "required": true}, {"type": "map", "values": {"type": "float"}, "name": "m"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1,
    3]}}]'
  params: '[{"name": "t", "default": 0.5, "shape": null, "type": "double"}, {"name":
    "k", "default": [1, 2], "shape": [-1], "type": "long"}]'
utc_time_created: '2026-11-22 02:45:50.950030'
"#;
