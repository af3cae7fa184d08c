//! Models and their versions, on both engines.

mod aliases;
mod concurrency;
mod drafts;
mod experiments;
mod given;
mod lineage;
mod model_search;
mod names;
mod numbers;
mod packages;
mod pulls;
mod purge;
mod resolver;
mod sources;
mod version_search;
mod versions;
mod wishes;
