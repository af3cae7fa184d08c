//! Facts about the whole instance, by name.

use modelry_core::Result;
use modelry_db::Tx;

/// When the first start was completed, in milliseconds since 1970; absent on a new database.
pub const INITIALISED_AT: &str = "initialised_at";

/// The value of a setting.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.query_opt("SELECT value FROM settings WHERE name = $1", &[&name], |row| row.get(0))
}

/// Sets a setting, new or not.
pub fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[&name, &value],
    )?;
    Ok(())
}
