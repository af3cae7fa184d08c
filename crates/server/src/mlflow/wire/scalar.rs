//! Protobuf's scalars, as generously as MLflow's server reads them.

use std::fmt;

use modelry_core::Result;
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A protobuf int64: a JSON number without a fraction, or a text that holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Int64(pub i64);

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Int64Visitor)
    }
}

struct Int64Visitor;

impl Visitor<'_> for Int64Visitor {
    type Value = Int64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit integer")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Int64, E> {
        Ok(Int64(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Int64, E> {
        i64::try_from(value).map(Int64).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Int64, E> {
        integral(value).map(Int64).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Int64, E> {
        text.trim().parse().map(Int64).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// The integer that a double is, if it is one of 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "the range and the fraction are checked before")]
fn integral(value: f64) -> Option<i64> {
    // Both ends are powers of two, which a double holds exactly; the upper one is the first that does not fit.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    (fits && value.fract() == 0.0).then_some(value as i64)
}

/// A protobuf double: a JSON number, a bool for 1 or 0, or a text that holds a number, `NaN`, `Infinity` or `-Infinity`.
/// Written as a number, or as the text `NaN`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Double(pub f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DoubleVisitor)
    }
}

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_nan() { serializer.serialize_str("NaN") } else { serializer.serialize_f64(self.0) }
    }
}

struct DoubleVisitor;

impl Visitor<'_> for DoubleVisitor {
    type Value = Double;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Double, E> {
        Ok(Double(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a JSON integer for a double is the nearest double")]
    fn visit_i64<E>(self, value: i64) -> Result<Double, E> {
        Ok(Double(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a JSON integer for a double is the nearest double")]
    fn visit_u64<E>(self, value: u64) -> Result<Double, E> {
        Ok(Double(value as f64))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Double, E> {
        Ok(Double(f64::from(u8::from(value))))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Double, E> {
        text.trim().parse().map(Double).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A protobuf enum: its name or its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EnumValue {
    /// Its number.
    Number(i64),
    /// Its name, or its number as text.
    Name(String),
}

impl EnumValue {
    /// The value that is meant, by number or name.
    pub(crate) fn read<T>(
        &self,
        from_number: impl Fn(i64) -> Result<T>,
        from_name: impl Fn(&str) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Number(number) => from_number(*number),
            Self::Name(name) => match name.parse() {
                Ok(number) => from_number(number),
                Err(_) => from_name(name),
            },
        }
    }
}

impl<'de> Deserialize<'de> for EnumValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnumVisitor)
    }
}

struct EnumVisitor;

impl Visitor<'_> for EnumVisitor {
    type Value = EnumValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name or the number of one of the values")
    }

    fn visit_i64<E>(self, value: i64) -> Result<EnumValue, E> {
        Ok(EnumValue::Number(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<EnumValue, E> {
        let number =
            i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))?;
        Ok(EnumValue::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<EnumValue, E> {
        Ok(EnumValue::Name(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int64(json: &str) -> Option<i64> {
        serde_json::from_str::<Int64>(json).ok().map(|number| number.0)
    }

    fn double(json: &str) -> Option<f64> {
        serde_json::from_str::<Double>(json).ok().map(|number| number.0)
    }

    #[test]
    fn an_int64_is_a_number_a_text_or_an_integral_float() {
        for json in ["1234", "\"1234\"", "1234.0", "1.234e3", "\" 1234 \""] {
            assert_eq!(int64(json), Some(1234), "{json}");
        }
    }

    #[test]
    fn an_int64_reaches_as_far_as_64_bits() {
        assert_eq!(int64("9223372036854775807"), Some(i64::MAX));
        assert_eq!(int64("\"-9223372036854775808\""), Some(i64::MIN));
        assert_eq!(int64("-9.223372036854775808e18"), Some(i64::MIN));
        for json in ["9223372036854775808", "9.223372036854775808e18", "\"9223372036854775808\""] {
            assert_eq!(int64(json), None, "{json}");
        }
    }

    #[test]
    fn what_is_no_integer_is_no_int64() {
        for json in ["1.5", "\"1.5\"", "\"noon\"", "\"\"", "true", "[]", "{}", "\"NaN\""] {
            assert_eq!(int64(json), None, "{json}");
        }
    }

    #[test]
    fn a_double_is_a_number_a_text_or_a_bool() {
        for json in ["1", "1.0", "true", "\"1\"", "\"1e0\""] {
            assert_eq!(double(json), Some(1.0), "{json}");
        }
        for json in ["\"abc\"", "\"\"", "[]", "{}", "\"1,5\""] {
            assert_eq!(double(json), None, "{json}");
        }
    }

    #[test]
    fn a_double_may_be_infinite_or_no_number() {
        for json in ["\"inf\"", "\"Infinity\"", "\"1e999\""] {
            assert_eq!(double(json), Some(f64::INFINITY), "{json}");
        }
        assert_eq!(double("\"-Infinity\""), Some(f64::NEG_INFINITY));
        assert!(double("\"NaN\"").is_some_and(f64::is_nan));
    }

    #[test]
    fn only_no_number_is_written_as_a_text() {
        let written =
            [0.5, 1.0, f64::MAX, f64::NAN].map(|value| serde_json::to_string(&Double(value)).unwrap());
        assert_eq!(written, ["0.5", "1.0", "1.7976931348623157e+308", "\"NaN\""]);
    }

    #[test]
    fn an_enum_is_a_name_or_a_number() {
        let read = |json: &str| serde_json::from_str::<EnumValue>(json).ok();
        assert_eq!(read("\"ALL\""), Some(EnumValue::Name("ALL".to_owned())));
        assert_eq!(read("3"), Some(EnumValue::Number(3)));
        assert_eq!(read("3.5"), None);
        let number = EnumValue::Name("3".to_owned()).read(Ok, |_| Ok(0)).unwrap();
        assert_eq!(number, 3);
    }
}
