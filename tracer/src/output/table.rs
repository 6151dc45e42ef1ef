//! Tables for people: the only file that knows prettytable.

use prettytable::format::{Alignment, FormatBuilder};
use prettytable::{Cell, Row, Table};

/// Rows under headers, in columns two blanks apart, without trailing blanks.
pub fn render(headers: &[&str], rows: &[Vec<String>]) -> String {
    render_numbers(headers, rows, headers.len())
}

/// As [`render`]; the columns from `numbers` on stand to the right.
pub fn render_numbers(headers: &[&str], rows: &[Vec<String>], numbers: usize) -> String {
    let row = |cells: Vec<&str>| {
        let cells = cells.into_iter().enumerate().map(|(column, text)| {
            let side = if column < numbers { Alignment::LEFT } else { Alignment::RIGHT };
            Cell::new_align(text, side)
        });
        Row::new(cells.collect())
    };
    let mut table = Table::new();
    table.set_format(FormatBuilder::new().column_separator(' ').padding(0, 1).build());
    table.set_titles(row(headers.to_vec()));
    for cells in rows {
        table.add_row(row(cells.iter().map(String::as_str).collect()));
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
