//! How the API writes and reads roles, visibilities, scopes, ends of tokens and values of metrics.

use std::borrow::Cow;
use std::fmt;

use modelry_core::policy::{Role, Scope, Visibility};
use modelry_core::time::Timestamp;
use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::accounts::tokens::parse_day;

macro_rules! word {
    ($(#[$doc:meta])* $name:ident of $kind:ident, $described:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) struct $name(pub(super) $kind);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = $kind::ALL.iter().map(|word| word.as_str());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($described))
                    .enum_values(Some(words))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($kind).into()
            }
        }
    };
}

word! {
    /// A role, written as its word and read as that or as GitLab's number.
    RoleWord of Role, "A role in a project, each with all rights of those before it. GitLab's numbers (10, 15, 20, \
                       30, 40, 50) are read too."
}
word! {
    /// A visibility, as its word.
    VisibilityWord of Visibility, "Who sees a project without being a member: nobody, every user, or everybody."
}
word! {
    /// A scope, as its word.
    ScopeWord of Scope, "What a token may do: everything its owner may, or only what reads."
}

impl<'de> Deserialize<'de> for RoleWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RoleVisitor)
    }
}

struct RoleVisitor;

impl Visitor<'_> for RoleVisitor {
    type Value = RoleWord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a role, or its number")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RoleWord, E> {
        text.parse().map(RoleWord).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<RoleWord, E> {
        let role = Role::ALL.iter().find(|role| u64::try_from(role.number()) == Ok(number));
        role.copied().map(RoleWord).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }
}

impl<'de> Deserialize<'de> for VisibilityWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ScopeWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// When a token is to end: a moment in milliseconds since 1970, or a day, at whose start in UTC it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End(pub(super) Timestamp);

impl PartialSchema for End {
    fn schema() -> RefOr<Schema> {
        let moment = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("A moment, in milliseconds since 1970."));
        let day = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A day like 2027-01-31, at whose start in UTC the token ends."));
        OneOfBuilder::new().item(moment).item(day).into()
    }
}

impl ToSchema for End {
    fn name() -> Cow<'static, str> {
        "TokenEnd".into()
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EndVisitor)
    }
}

struct EndVisitor;

impl Visitor<'_> for EndVisitor {
    type Value = End;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("milliseconds since 1970, or a day like 2027-01-31")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<End, E> {
        parse_day(text).map(End).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, ms: u64) -> Result<End, E> {
        let ms = i64::try_from(ms).map_err(|_| E::invalid_value(Unexpected::Unsigned(ms), &self))?;
        Ok(End(Timestamp(ms)))
    }
}

/// The value of a metric: a number, or one of the texts `NaN`, `Infinity` and `-Infinity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MetricValue(pub(super) f64);

impl PartialSchema for MetricValue {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Number).description(Some("A number."));
        let other = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What JSON has no number for."))
            .enum_values(Some(["NaN", "Infinity", "-Infinity"]));
        OneOfBuilder::new().item(number).item(other).into()
    }
}

impl ToSchema for MetricValue {}

impl Serialize for MetricValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_nan() { serializer.serialize_str("NaN") } else { serializer.serialize_f64(self.0) }
    }
}

impl<'de> Deserialize<'de> for MetricValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MetricVisitor)
    }
}

struct MetricVisitor;

impl Visitor<'_> for MetricVisitor {
    type Value = MetricValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or one of NaN, Infinity and -Infinity")
    }

    fn visit_f64<E>(self, value: f64) -> Result<MetricValue, E> {
        Ok(MetricValue(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a metric is a double, whatever it is written as")]
    fn visit_i64<E>(self, value: i64) -> Result<MetricValue, E> {
        Ok(MetricValue(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a metric is a double, whatever it is written as")]
    fn visit_u64<E>(self, value: u64) -> Result<MetricValue, E> {
        Ok(MetricValue(value as f64))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<MetricValue, E> {
        match text {
            "NaN" => Ok(MetricValue(f64::NAN)),
            "Infinity" => Ok(MetricValue(f64::INFINITY)),
            "-Infinity" => Ok(MetricValue(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}
