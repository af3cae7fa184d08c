//! Server-rendered pages: one struct per page that holds exactly what its template prints, and the static files.
//!
//! Every page works without JavaScript; scripts add charts, copy buttons and following of growing files. A page never
//! carries an inline script or style, so that one strict content security policy holds for all of them.

pub mod assets;
pub mod format;
pub mod icon;
pub mod parts;
pub mod shell;
pub mod views;
