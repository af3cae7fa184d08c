//! Prompts among the models: hidden unless a filter asks for them.

use modelry_core::search::expr::Condition;

use super::binds::Binds;
use super::condition;

/// The metadata by which clients tell prompts from models.
pub(super) const IS_PROMPT: &str = "mlflow.prompt.is_prompt";

/// What a search stands under whose filter does not mention it.
pub(super) const HIDDEN: &str = "NOT m.is_prompt";

/// The test of [`IS_PROMPT`]. A model has the value `false` where it has none, as MLflow's own server reads it.
pub(super) fn test(binds: &mut Binds, condition: &Condition) -> String {
    condition::compile(binds, "CASE WHEN m.is_prompt THEN 'true' ELSE 'false' END", condition)
}
