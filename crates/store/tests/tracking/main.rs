//! Experiments, candidates and what is logged to them, on both engines.

mod candidates;
mod experiments;
mod given;
mod ids;
mod keys;
mod latest;
mod points;
mod sampling;
mod series;
