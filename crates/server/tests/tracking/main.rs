//! The tracking protocol through the real routes: experiments, runs and what is logged to them.

mod experiments;
mod given;
mod histories;
mod json;
mod logging;
mod routes;
mod runs;
mod searches;
