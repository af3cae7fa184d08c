//! One unit of work: run it, keep its result, answer whoever waits for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use modelry_core::{Error, Result};
use tokio::sync::oneshot;

use crate::Tx;
use crate::tx::Effect;

/// What work answers, whatever its type is.
pub(crate) type Answer = Box<dyn Any + Send>;

/// Work for a transaction, whatever its type is: so that the engines are compiled once, and not for each statement
/// of the crates above.
pub(crate) type Work = Box<dyn Fn(&mut Tx<'_>) -> Result<Answer> + Send>;

/// Forgets the type of `work`'s answer; [`recall`] is its inverse.
pub(crate) fn forget<T: Send + 'static>(work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static) -> Work {
    Box::new(move |tx| Ok(Box::new(work(tx)?)))
}

/// The answer of work whose type [`forget`] hid.
pub(crate) fn recall<T: 'static>(answer: Answer) -> T {
    *answer.downcast().expect("an answer has the type of the work that gave it")
}

/// Work with the answer's way back, as the writer's queue holds it.
pub(crate) struct Job {
    work: Work,
    result: Option<Result<Answer>>,
    caller: oneshot::Sender<Result<Answer>>,
}

impl Job {
    /// A job for `work`, and where its answer arrives.
    pub(crate) fn queued(work: Work) -> (Self, oneshot::Receiver<Result<Answer>>) {
        let (caller, answer) = oneshot::channel();
        (Self { work, result: None, caller }, answer)
    }

    /// Runs the work and keeps its result for [`Job::answer`]. Returns whether what it wrote is to be kept.
    ///
    /// It may be called again: the result before is forgotten.
    pub(crate) fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let result = attempt(tx, &self.work);
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    /// Whether the last run went well.
    pub(crate) fn has_succeeded(&self) -> bool {
        matches!(self.result, Some(Ok(_)))
    }

    /// Makes `error` the result of the last run. Returns false, as [`Job::run`] does then.
    pub(crate) fn fail(&mut self, error: Error) -> bool {
        self.result = Some(Err(error));
        false
    }

    /// Answers the caller with the result of the last run.
    pub(crate) fn answer(self) {
        let result = self.result.expect("a job is answered only after it ran");
        // A caller that has left does not want to know.
        let _ = self.caller.send(result);
    }

    /// Answers the caller with `error`, whatever the work returned.
    pub(crate) fn refuse(self, error: Error) {
        let _ = self.caller.send(Err(error));
    }
}

/// Runs `work` once. A panic, and a statement that failed without the work saying so, are errors.
pub(crate) fn attempt(tx: &mut Tx<'_>, work: &Work) -> Result<Answer> {
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
