//! Searches for candidates and experiments, and the columns of tables, on both engines.

mod candidates;
mod columns;
mod effort;
mod experiments;
mod filters;
mod given;
mod large;
mod pages;
mod reference;
mod upgrade;
