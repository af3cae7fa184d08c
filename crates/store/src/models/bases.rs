//! What the cards of models name as their base, apart from the cards so that it is found the other way round.

use std::collections::BTreeSet;

use modelry_core::Result;
use modelry_core::formats::front_matter;
use modelry_core::ids::{ModelId, ProjectId};
use modelry_db::Tx;

/// Notes the bases that the card of a new model names.
pub(super) fn insert(tx: &mut Tx<'_>, project: ProjectId, id: ModelId, card: &str) -> Result<()> {
    let front_matter = front_matter::read(card).front_matter.unwrap_or_default();
    // YAML can say NUL, which no text of a database holds.
    let is_base = |base: &&String| !base.is_empty() && !base.contains('\0');
    for base in front_matter.base_models.iter().filter(is_base).collect::<BTreeSet<_>>() {
        tx.execute(
            "INSERT INTO model_bases (project_id, model_id, base) VALUES ($1, $2, $3)",
            &[&project.0, &id.0, base],
        )?;
    }
    Ok(())
}

/// Notes the bases that the new card of a model names, and forgets those of the card before.
pub(super) fn replace(tx: &mut Tx<'_>, project: ProjectId, id: ModelId, card: &str) -> Result<()> {
    tx.execute("DELETE FROM model_bases WHERE project_id = $1 AND model_id = $2", &[&project.0, &id.0])?;
    insert(tx, project, id, card)
}
