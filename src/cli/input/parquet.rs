//! The rows of a Parquet file as events, one a line.
//!
//! In: a file. Out: NDJSON. A column is a member by its name, a struct an object, a list a list, a map
//! of texts an object; what is null is left out. Decimals are written exactly, timestamps as RFC 3339
//! in UTC (one without a zone is taken as UTC), dates as `2026-11-20`, bytes as text where they are
//! UTF-8, else in hex. INT96 is read to the millisecond.
//! Invariant: a column that would lose its meaning is refused before a row is read.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::Decimal;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::{ColumnDescriptor, Type, TypePtr};

use crate::hex;

/// Bytes of lines that are made at once.
const AHEAD: usize = super::CHUNK;

/// The rows as lines.
pub(super) struct Rows {
    rows: RowIter<'static>,
    schema: TypePtr,
    ready: VecDeque<u8>,
}

impl Rows {
    pub(super) fn open(file: File) -> io::Result<Self> {
        let reader = SerializedFileReader::new(file).map_err(damaged)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        for column in schema.columns() {
            refuse(column)?;
        }
        Ok(Self {
            schema: schema.root_schema_ptr(),
            rows: reader.into_iter(),
            ready: VecDeque::new(),
        })
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut line = Vec::new();
        while self.ready.len() < AHEAD {
            let Some(row) = self.rows.next() else {
                return Ok(());
            };
            line.clear();
            object(&mut line, &row.map_err(damaged)?, self.schema.get_fields())?;
            line.push(b'\n');
            self.ready.extend(&line);
        }
        Ok(())
    }
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            self.fill()?;
        }
        self.ready.read(buffer)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that `map_err` calls"
)]
fn damaged(error: ParquetError) -> io::Error {
    let error = error.to_string();
    io::Error::other(format!(
        "its Parquet data is damaged or of a form that is not read ({error})"
    ))
}

/// Refuses a column of a type that the reader of rows does not know: it would panic.
fn refuse(column: &ColumnDescriptor) -> io::Result<()> {
    use ConvertedType as As;
    let as_ = column.converted_type();
    let known = match column.physical_type() {
        Physical::BOOLEAN | Physical::INT96 | Physical::FLOAT | Physical::DOUBLE => true,
        Physical::INT32 => matches!(
            as_,
            As::NONE
                | As::INT_8
                | As::INT_16
                | As::INT_32
                | As::UINT_8
                | As::UINT_16
                | As::UINT_32
                | As::DATE
                | As::TIME_MILLIS
                | As::DECIMAL
        ),
        Physical::INT64 => matches!(
            as_,
            As::NONE
                | As::INT_64
                | As::UINT_64
                | As::TIME_MICROS
                | As::TIMESTAMP_MILLIS
                | As::TIMESTAMP_MICROS
                | As::DECIMAL
        ),
        Physical::BYTE_ARRAY => matches!(
            as_,
            As::NONE | As::UTF8 | As::ENUM | As::JSON | As::BSON | As::DECIMAL
        ),
        Physical::FIXED_LEN_BYTE_ARRAY => matches!(as_, As::NONE | As::DECIMAL),
    };
    match known {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "its column `{}` is of a type that is not read ({as_})",
            column.path()
        ))),
    }
}

fn object(out: &mut Vec<u8>, row: &Row, types: &[TypePtr]) -> io::Result<()> {
    out.push(b'{');
    let mut first = true;
    for (name, field) in row.get_column_iter() {
        if matches!(field, Field::Null) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name)?;
        out.push(b':');
        let declared = types.iter().find(|declared| declared.name() == name);
        value(out, field, declared)?;
    }
    out.push(b'}');
    Ok(())
}

fn value(out: &mut Vec<u8>, field: &Field, declared: Option<&TypePtr>) -> io::Result<()> {
    let inner = |declared: Option<&'_ TypePtr>| declared.map(Arc::clone).filter(|t| t.is_group());
    match field {
        Field::Null => out.extend(b"null"),
        Field::Bool(flag) => serde_json::to_writer(out, flag)?,
        Field::Byte(number) => serde_json::to_writer(out, number)?,
        Field::Short(number) => serde_json::to_writer(out, number)?,
        Field::Int(number) => serde_json::to_writer(out, number)?,
        Field::Long(number) => match is_nanos(declared) {
            true => text(out, &instant(DateTime::from_timestamp_nanos(*number)))?,
            false => serde_json::to_writer(out, number)?,
        },
        Field::UByte(number) => serde_json::to_writer(out, number)?,
        Field::UShort(number) => serde_json::to_writer(out, number)?,
        Field::UInt(number) => serde_json::to_writer(out, number)?,
        Field::ULong(number) => serde_json::to_writer(out, number)?,
        // JSON has no number for what is not finite: `null` is written.
        Field::Float16(number) => serde_json::to_writer(out, &number.to_f32())?,
        Field::Float(number) => serde_json::to_writer(out, number)?,
        Field::Double(number) => serde_json::to_writer(out, number)?,
        Field::Decimal(number) => out.extend(decimal(number)?.bytes()),
        Field::Str(words) => text(out, words)?,
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(words) => text(out, words)?,
            Err(_) => text(out, &hex::of(bytes.data()))?,
        },
        Field::Date(days) => text(out, &date(*days))?,
        Field::TimeMillis(time) => text(out, &time_of_day(i64::from(*time) * 1_000))?,
        Field::TimeMicros(time) => text(out, &time_of_day(*time))?,
        Field::TimestampMillis(at) => text(out, &known(DateTime::from_timestamp_millis(*at))?)?,
        Field::TimestampMicros(at) => text(out, &known(DateTime::from_timestamp_micros(*at))?)?,
        Field::Group(row) => {
            let declared = inner(declared);
            let types = declared.as_ref().map(|declared| declared.get_fields());
            object(out, row, types.unwrap_or_default())?;
        }
        Field::ListInternal(list) => {
            let item = inner(declared).and_then(|list| item(&list));
            out.push(b'[');
            for (n, element) in list.elements().iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                value(out, element, item.as_ref())?;
            }
            out.push(b']');
        }
        Field::MapInternal(map) => {
            out.push(b'{');
            for (n, (key, element)) in map.entries().iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                let name = match key {
                    Field::Str(name) => name.clone(),
                    key => key.to_string(),
                };
                text(out, &name)?;
                out.push(b':');
                value(out, element, None)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// The type of a list's items: a list is a group of a repeated group of the item, or in old files of
/// the repeated item itself.
fn item(list: &Type) -> Option<TypePtr> {
    let repeated = list.get_fields().first()?;
    match repeated.is_group() && repeated.get_fields().len() == 1 {
        true => repeated.get_fields().first().cloned(),
        false => Some(Arc::clone(repeated)),
    }
}

/// Whether a whole number is a timestamp in nanoseconds, which has no converted type.
fn is_nanos(declared: Option<&TypePtr>) -> bool {
    let logical = declared.and_then(|declared| declared.get_basic_info().logical_type_ref());
    matches!(logical, Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::NANOS)
}

fn text(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}

fn known(at: Option<DateTime<chrono::Utc>>) -> io::Result<String> {
    let at = at.ok_or_else(|| io::Error::other("a timestamp is not of the years 0 to 9999"))?;
    Ok(instant(at))
}

fn instant(at: DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn date(days: i32) -> String {
    let epoch = NaiveDate::default();
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let date = match days < 0 {
        true => epoch.checked_sub_days(distance),
        false => epoch.checked_add_days(distance),
    };
    date.map_or_else(|| days.to_string(), |date| date.to_string())
}

/// A time of day from its microseconds.
fn time_of_day(micros: i64) -> String {
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if micros > 0 {
        let _ = write!(text, ".{micros:06}");
    }
    text
}

/// All digits of a decimal.
fn decimal(number: &Decimal) -> io::Result<String> {
    let (bytes, scale) = match number {
        Decimal::Int32 { value, scale, .. } => (&value[..], *scale),
        Decimal::Int64 { value, scale, .. } => (&value[..], *scale),
        Decimal::Bytes { value, scale, .. } => (value.data(), *scale),
    };
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let mut unscaled = -i128::from(negative);
    for byte in bytes {
        unscaled = unscaled
            .checked_mul(256)
            .and_then(|n| n.checked_add(i128::from(*byte)))
            .ok_or_else(|| io::Error::other("a decimal has more than 38 digits"))?;
    }
    let digits = unscaled.unsigned_abs().to_string();
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    Ok(match part {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    })
}

#[cfg(test)]
mod tests {
    use parquet::data_type::ByteArray;

    use super::*;

    #[test]
    fn decimals_keep_all_their_digits() {
        let bytes = |bytes: &[u8], scale| {
            let value = ByteArray::from(bytes.to_vec());
            decimal(&Decimal::from_bytes(value, 38, scale)).unwrap()
        };
        assert_eq!(decimal(&Decimal::from_i32(-5, 9, 2)).unwrap(), "-0.05");
        assert_eq!(
            decimal(&Decimal::from_i64(25_001, 18, 2)).unwrap(),
            "250.01"
        );
        assert_eq!(
            decimal(&Decimal::from_i64(i64::MIN, 18, 0)).unwrap(),
            i64::MIN.to_string()
        );
        assert_eq!(bytes(&[0xff, 0xff, 0x85], 1), "-12.3");
        assert_eq!(bytes(&i128::MAX.to_be_bytes(), 0), i128::MAX.to_string());
        assert_eq!(bytes(&i128::MIN.to_be_bytes(), 0), i128::MIN.to_string());
        let wide = [&[0][..], &i128::MAX.to_be_bytes()].concat();
        assert_eq!(bytes(&wide, 0), i128::MAX.to_string());
    }

    #[test]
    fn dates_and_times() {
        assert_eq!(
            [date(0), date(-1), date(20_000)],
            ["1970-01-01", "1969-12-31", "2024-10-04"]
        );
        assert_eq!(time_of_day(3_661_000_007), "01:01:01.000007");
        assert_eq!(hex::of(&[0, 255]), "00ff");
    }
}
