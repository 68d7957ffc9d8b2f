//! Parquet files: the rows are the events.

use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::run::{Ran, SMALL, laneway};

const SCHEMA: &str = "message events {
  required binary kind (UTF8);
  optional binary id (UTF8);
  required int64 at (TIMESTAMP(NANOS,true));
  required binary step (UTF8);
  required binary customerId (UTF8);
  required int32 weight;
  optional int64 amount (DECIMAL(18,2));
  optional group site { optional binary code (UTF8); }
}";

/// Three orders: a quote, one with an amount to the cent and no id, one whose step is unknown.
fn write(path: &Path) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let second = 1_000_000_000;
    let nine = 1_795_165_200 * second;
    texts(&mut rows, &["order", "order", "order"], None);
    texts(&mut rows, &["o-1", "o-3"], Some(&[1, 0, 1]));
    numbers(&mut rows, &[nine, nine + 1, nine + 60 * second], None);
    texts(&mut rows, &["quote", "ship", "fly"], None);
    texts(&mut rows, &["c-1", "c-1", "c-2"], None);
    let mut column = rows.next_column().unwrap().unwrap();
    let typed = column.typed::<Int32Type>();
    typed.write_batch(&[2, 3, 4], None, None).unwrap();
    column.close().unwrap();
    numbers(&mut rows, &[90_001], Some(&[0, 1, 0]));
    texts(&mut rows, &["ber"], Some(&[0, 2, 0]));
    rows.close().unwrap();
    writer.close().unwrap();
}

fn texts(
    rows: &mut SerializedRowGroupWriter<'_, std::fs::File>,
    texts: &[&str],
    levels: Option<&[i16]>,
) {
    let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
    let mut column = rows.next_column().unwrap().unwrap();
    let typed = column.typed::<ByteArrayType>();
    typed.write_batch(&texts, levels, None).unwrap();
    column.close().unwrap();
}

fn numbers(
    rows: &mut SerializedRowGroupWriter<'_, std::fs::File>,
    numbers: &[i64],
    levels: Option<&[i16]>,
) {
    let mut column = rows.next_column().unwrap().unwrap();
    let typed = column.typed::<Int64Type>();
    typed.write_batch(numbers, levels, None).unwrap();
    column.close().unwrap();
}

fn run(command: &str, path: &Path) -> Ran {
    laneway(&[command, SMALL, path.to_str().unwrap(), "--format=json"])
}

#[test]
fn rows_are_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders");
    write(&path);
    let lines = concat!(
        r#"{"kind":"order","id":"o-1","at":"2026-11-20T09:00:00Z","step":"quote","customerId":"c-1","weight":2}"#,
        "\n",
        r#"{"kind":"order","at":"2026-11-20T09:00:00.000000001Z","step":"ship","customerId":"c-1","weight":3,"amount":900.01,"site":{"code":"ber"}}"#,
        "\n",
        r#"{"kind":"order","id":"o-3","at":"2026-11-20T09:01:00Z","step":"fly","customerId":"c-2","weight":4}"#,
        "\n",
    );
    let plain = folder.path().join("plain");
    std::fs::write(&plain, lines).unwrap();
    // The digest of each action covers every member of its event, exactly.
    let (rows, lines) = (run("decide", &path), run("decide", &plain));
    assert_eq!(rows.code, 0, "{}", rows.err);
    assert_eq!(rows.lines(), lines.lines());
    let summary = run("replay", &path);
    assert_eq!(summary.code, 0, "{}", summary.err);
    let summary = summary.json();
    assert_eq!(summary["events"], 3);
    assert_eq!(summary["first"], "2026-11-20T09:00:00Z");
    assert_eq!(
        summary["unreadable"]["by_problem"][0]["code"],
        "unknown_value"
    );
}

#[test]
fn what_is_damaged_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders");
    write(&path);
    let bytes = std::fs::read(&path).unwrap();
    let cut = folder.path().join("cut");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let ran = run("replay", &cut);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let says = format!(
        "`{}` cannot be read: its Parquet data is damaged",
        cut.display()
    );
    assert!(ran.err.contains(&says), "{}", ran.err);
    let ran = crate::run::laneway_with(&["replay", SMALL, "-"], &bytes, None);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("name a file"), "{}", ran.err);
}
