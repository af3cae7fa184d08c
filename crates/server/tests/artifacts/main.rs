//! Artifacts over HTTP, through the real routes.

mod archives;
mod by_owner;
mod collection;
mod damage;
mod downloads;
mod given;
mod multipart;
mod paths;
mod proxy;
mod resumed;
mod uploads;
