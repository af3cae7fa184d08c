//! Searches for candidates and experiments, on both engines.

mod candidates;
mod experiments;
mod filters;
mod given;
mod pages;
mod reference;
