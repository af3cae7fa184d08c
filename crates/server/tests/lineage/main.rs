//! Logged models, inputs and outputs over HTTP, through the real routes.

mod given;
mod inputs;
mod model_search;
mod models;
