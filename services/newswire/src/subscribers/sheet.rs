//! Subscribers as rows of a CSV file (RFC 4180), such as spreadsheets read and write.
//!
//! A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return is a formula to a spreadsheet, and whoever
//! typed an address into a form would have it run. Such cells are written behind an apostrophe, which comes off again
//! when they are read; so is one that begins with an apostrophe, lest reading take that off.

use std::io::{Read, Write};

use anyhow::Context;
use csv::{ReaderBuilder, StringRecord, Writer};
use email_notifier::subscribers::Row;

use crate::Usage;

/// Bytes of one record: nothing that is meant for these columns is longer, and a file without line ends must not fill
/// the memory.
const MAX_RECORD: usize = 64 * 1024;

/// The columns, in the order they are written.
pub(super) const COLUMNS: [&str; 7] =
    ["address", "selection", "frequency", "zone", "language", "confirmed_at", "source"];

/// A row with the line it begins on; or what is wrong with it.
pub(super) struct Line {
    pub line: u64,
    /// Bytes of the file up to its end.
    pub position: u64,
    pub row: Result<Row, String>,
}

/// Reads rows one after the other.
pub(super) struct Sheet<R> {
    reader: csv::Reader<Bounded<R>>,
    /// Which column of ours stands where.
    columns: Vec<usize>,
    /// The parser counts a line when it sees the line feed, and in a file with CRLF it is a record behind by that.
    behind: u64,
    broken: bool,
}

impl<R: Read> Sheet<R> {
    /// Reads the first line, which names the columns.
    pub(super) fn open(source: R) -> anyhow::Result<Self> {
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(Bounded::new(source));
        let names = reader.headers().context("the first line cannot be read: it must name the columns, in UTF-8")?;
        let mut columns = Vec::new();
        for name in names {
            let name = name.trim().trim_start_matches('\u{feff}').to_lowercase();
            let column = COLUMNS.iter().position(|known| *known == name);
            let column = column.filter(|column| !columns.contains(column)).ok_or_else(|| {
                let known = COLUMNS.join(", ");
                Usage(format!("the first line names a column {name:?}; use each of these at most once: {known}"))
            })?;
            columns.push(column);
        }
        if !columns.contains(&0) {
            return Err(Usage("the first line must name the columns, address among them".into()).into());
        }
        let lines = names.iter().map(|name| name.matches('\n').count() as u64).sum::<u64>() + 2;
        let behind = lines.saturating_sub(reader.position().line());
        Ok(Self { reader, columns, behind, broken: false })
    }

    fn row(&self, record: &StringRecord) -> Result<Row, String> {
        if record.len() != self.columns.len() {
            return Err(format!("{} cells where the first line has {}", record.len(), self.columns.len()));
        }
        let mut row = Row::default();
        for (column, cell) in self.columns.iter().zip(record) {
            *cells(&mut row)[*column] = taken_back(cell).to_owned();
        }
        Ok(row)
    }
}

impl<R: Read> Iterator for Sheet<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut record = StringRecord::new();
        let line = self.reader.position().line();
        if self.broken {
            return None;
        }
        self.reader.get_mut().begin();
        let row = match self.reader.read_record(&mut record) {
            Ok(false) => return None,
            Ok(true) => self.row(&record),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                Err("not UTF-8: save the file as CSV UTF-8".into())
            }
            Err(error) => {
                self.broken = true;
                Err(format!("the file cannot be read further: {error}"))
            }
        };
        let line = record.position().map_or(line, csv::Position::line) + self.behind;
        Some(Line { line, position: self.reader.position().byte(), row })
    }
}

/// Writes rows with the columns' names first.
pub(super) struct SheetWriter<W: Write>(Writer<W>);

impl<W: Write> SheetWriter<W> {
    pub(super) fn new(out: W) -> anyhow::Result<Self> {
        let mut writer = Writer::from_writer(out);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }

    pub(super) fn write(&mut self, mut row: Row) -> anyhow::Result<()> {
        let cells = cells(&mut row);
        self.0.write_record(cells.iter().map(|cell| harmless(cell)))?;
        Ok(())
    }

    /// What was written to, once all of it is.
    pub(super) fn finish(self) -> anyhow::Result<W> {
        self.0.into_inner().map_err(|error| error.into_error().into())
    }
}

fn cells(row: &mut Row) -> [&mut String; 7] {
    let Row { address, selection, frequency, zone, language, confirmed_at, source } = row;
    [address, selection, frequency, zone, language, confirmed_at, source]
}

const COMMANDS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn harmless(cell: &str) -> String {
    let behind = cell.starts_with(COMMANDS) || cell.starts_with('\'');
    if behind { format!("'{cell}") } else { cell.to_owned() }
}

fn taken_back(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(COMMANDS) || rest.starts_with('\'') => rest,
        _ => cell,
    }
}

/// Ends a record that is too long as if the file could not be read.
struct Bounded<R> {
    source: R,
    read: usize,
}

impl<R> Bounded<R> {
    fn new(source: R) -> Self {
        Self { source, read: 0 }
    }

    /// A record begins.
    fn begin(&mut self) {
        self.read = 0;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read > MAX_RECORD {
            let problem = format!("a row of more than {MAX_RECORD} bytes; is a quotation mark not closed?");
            return Err(std::io::Error::other(problem));
        }
        let count = self.source.read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<(u64, Result<Row, String>)> {
        Sheet::open(text).unwrap().map(|line| (line.line, line.row)).collect()
    }

    fn row(address: &str, source: &str) -> Row {
        Row { address: address.into(), source: source.into(), ..Row::default() }
    }

    #[test]
    fn columns_stand_in_any_order_and_rows_know_their_line() {
        let text = "\u{feff}Source,address\r\n\"a\nb\",x@example.org\r\n会场,y@example.org\r\n";
        assert_eq!(
            read(text.as_bytes()),
            [(2, Ok(row("x@example.org", "a\nb"))), (4, Ok(row("y@example.org", "会场")))]
        );
    }

    #[test]
    fn what_is_wrong_with_a_row_costs_that_row() {
        let rows = read(b"address,source\na@example.org\nb@example.org,\xff\nc@example.org,x,y\n,\nd@example.org,ok\n");
        let wrong: Vec<u64> = rows.iter().filter(|(_, row)| row.is_err()).map(|(line, _)| *line).collect();
        assert_eq!((wrong, rows.len()), (vec![2, 3, 4], 5));
        assert_eq!(rows[4], (6, Ok(row("d@example.org", "ok"))));
        // Beyond what is not closed nothing can be told apart.
        let open = format!("address\n\"{}", "x\n".repeat(MAX_RECORD));
        let rows = read(open.as_bytes());
        assert!(rows.len() == 1 && rows[0].1.as_ref().is_err_and(|problem| problem.contains("quotation")), "{rows:?}");
    }

    #[test]
    fn a_file_without_our_columns_is_refused() {
        for text in
            ["", "\n", "a@example.org\n", "address;selection\n", "address,address\n", "selection\n", "address,plan"]
        {
            assert!(Sheet::open(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_all_read_back() {
        let cells =
            ["=1+1", "+a@example.org", "-x", "@SUM(A1)", "\tx", "\rx", "'=x", "''", "'", "x'", "a,\"b\"\n", "", "读者"];
        let mut sheet = SheetWriter::new(Vec::new()).unwrap();
        for cell in cells {
            sheet.write(row(cell, cell)).unwrap();
        }
        let bytes = sheet.finish().unwrap();
        let mut raw = csv::Reader::from_reader(&bytes[..]);
        assert!(raw.records().all(|record| !record.unwrap()[0].starts_with(COMMANDS)));
        let found: Vec<_> = read(&bytes).into_iter().map(|(_, row)| row.unwrap()).collect();
        assert_eq!(found, cells.map(|cell| row(cell, cell)));
    }
}
