//! One unit of work: run it, keep its result, answer whoever waits for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use modelry_core::{Error, Result};
use tokio::sync::oneshot;

use crate::Tx;
use crate::tx::Effect;

/// Work for a transaction, with the answer's way back, as the writer's queue holds it.
pub(crate) trait Job: Send {
    /// Runs the work and keeps its result for [`Job::answer`]. Returns whether what it wrote is to be kept.
    ///
    /// It may be called again: the result before is forgotten.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Makes `error` the result of the last run. Returns false, as [`Job::run`] does then.
    fn fail(&mut self, error: Error) -> bool;

    /// Answers the caller with the result of the last run.
    fn answer(self: Box<Self>);

    /// Answers the caller with `error`, whatever the work returned.
    fn refuse(self: Box<Self>, error: Error);
}

/// The [`Job`] of one closure.
pub(crate) struct Task<T, W> {
    work: W,
    result: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, W> Task<T, W>
where
    T: Send + 'static,
    W: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
{
    /// A job for `work`, and where its answer arrives.
    pub(crate) fn queued(work: W) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>) {
        let (caller, answer) = oneshot::channel();
        (Box::new(Self { work, result: None, caller }), answer)
    }
}

impl<T: Send, W: Fn(&mut Tx<'_>) -> Result<T> + Send> Job for Task<T, W> {
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let result = attempt(tx, &self.work);
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn fail(&mut self, error: Error) -> bool {
        self.result = Some(Err(error));
        false
    }

    fn answer(self: Box<Self>) {
        let Self { result, caller, .. } = *self;
        let result = result.expect("a job is answered only after it ran");
        // A caller that has left does not want to know.
        let _ = caller.send(result);
    }

    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.caller.send(Err(error));
    }
}

/// Runs `work` once. A panic, and a statement that failed without the work saying so, are errors.
pub(crate) fn attempt<T>(tx: &mut Tx<'_>, work: impl Fn(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    // The transaction is undone after a panic and memory changes only in effects, so nothing half-changed is seen.
    let outcome = catch_unwind(AssertUnwindSafe(|| work(tx)));
    let value = outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))?;
    match tx.damage() {
        Some(damage) => Err(damage.overlooked()),
        None => Ok(value),
    }
}

/// Runs what a durable transaction asked for.
pub(crate) fn run_effects(effects: Vec<Effect>) -> Result<()> {
    for effect in effects {
        catch_unwind(AssertUnwindSafe(effect)).map_err(|panic| panicked(panic.as_ref()))?;
    }
    Ok(())
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Error::internal(format!("work in a transaction panicked: {text}"))
}
