//! Tables for people: the only file that knows prettytable.

use prettytable::format::FormatBuilder;
use prettytable::{Cell, Row, Table};

/// Rows under headers, in columns two blanks apart, without trailing blanks.
pub fn render(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.set_format(FormatBuilder::new().column_separator(' ').padding(0, 1).build());
    table.set_titles(Row::new(headers.iter().map(|header| Cell::new(header)).collect()));
    for row in rows {
        table.add_row(Row::new(row.iter().map(|cell| Cell::new(cell)).collect()));
    }
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [vec!["tcp".to_owned(), "9".to_owned()], vec!["syscall".to_owned(), "é".to_owned()]];
        assert_eq!(render(&["PROVIDER", "PROBES"], &rows), "PROVIDER  PROBES\ntcp       9\nsyscall   é\n");
    }
}
