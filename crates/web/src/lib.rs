//! Server-rendered pages: one struct per page that holds exactly what its template prints, and the static files.
//!
//! Every page works without JavaScript; scripts add charts, copy buttons and following of growing files. A page never
//! carries an inline script or style, so that one strict content security policy holds for all of them.
//!
//! [`router()`] holds the URL table. A handler below `pages` reads what a page of `views` says; nothing else connects
//! the two.

mod address;
mod answer;
pub mod assets;
mod form;
pub mod format;
pub mod icon;
mod links;
pub mod markdown;
mod pages;
pub mod parts;
mod picture;
pub mod router;
pub mod shell;
pub mod views;
mod visit;

pub use router::router;
