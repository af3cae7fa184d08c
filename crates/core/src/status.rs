//! States of candidates and logged models, by MLflow's names and numbers.

use std::str::FromStr;

use crate::{Error, Result};

macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The name on MLflow's wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The number on MLflow's wire and in the database.
            pub fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The state that `number` stands for.
            pub fn from_number(number: i64) -> Result<Self> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(Error::invalid(format!("{number} is not a known status"))),
                }
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(Error::invalid(format!(
                        "Invalid value \"{text}\" for parameter 'status' supplied: it is one of {}",
                        [$($word),*].join(", ")
                    ))),
                }
            }
        }
    };
}

status! {
    /// How far a candidate is.
    CandidateStatus {
        /// Under way.
        Running = 1 "RUNNING",
        /// Planned.
        Scheduled = 2 "SCHEDULED",
        /// Ended well.
        Finished = 3 "FINISHED",
        /// Ended with an error.
        Failed = 4 "FAILED",
        /// Ended from outside.
        Killed = 5 "KILLED",
    }
}

status! {
    /// How far a logged model is.
    LoggedModelStatus {
        /// Its files are being uploaded.
        Pending = 1 "LOGGED_MODEL_PENDING",
        /// Complete.
        Ready = 2 "LOGGED_MODEL_READY",
        /// The upload did not succeed.
        Failed = 3 "LOGGED_MODEL_UPLOAD_FAILED",
    }
}
