//! Words and rules of Modelry: names, versions, lineage, roles and the one policy table, the search grammar, metric points,
//! the headers of model files, CSV, paging, time, ids, errors.
//!
//! No I/O, no async, no SQL, no HTTP: everything here is a value or a function of its arguments.

pub mod address;
pub mod artifact_path;
pub mod checksums;
pub mod csv;
pub mod digest;
pub mod error;
pub mod formats;
pub mod ids;
pub mod lineage;
pub mod names;
pub mod paging;
pub mod points;
pub mod policy;
pub mod quantity;
pub mod run_name;
pub mod search;
pub mod status;
pub mod store_key;
pub mod time;
pub mod version;

pub use error::{Error, Kind, Result};
