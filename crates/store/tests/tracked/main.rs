//! Logged models, datasets, inputs and outputs, on both engines.

mod datasets;
mod given;
mod model_metrics;
mod model_search;
mod models;
