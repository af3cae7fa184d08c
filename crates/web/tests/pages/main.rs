//! The pages over HTTP, in process: who may see what, and that they show what was logged.

mod access;
mod aliases;
mod bin;
mod compare;
mod forms;
mod given;
mod packages;
mod registry;
mod site;
mod table;
mod tracking;
