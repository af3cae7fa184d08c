//! Users, tokens, sessions, projects and members, on both engines.

mod given;
mod members;
mod projects;
mod sessions;
mod tokens;
mod users;
