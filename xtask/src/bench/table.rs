//! What was measured, as a table of medians.

use super::tool::Tool;

/// Rows in the order of their first value; one column a tool.
pub(super) struct Table {
    tools: Vec<&'static str>,
    rows: Vec<Row>,
    /// The last row that does not begin with a space: what the indented ones are about.
    about: usize,
}

struct Row {
    label: String,
    about: usize,
    values: Vec<Vec<f64>>,
}

impl Table {
    pub(super) fn new(tools: &[Tool]) -> Table {
        Table { tools: tools.iter().map(Tool::name).collect(), rows: Vec::new(), about: 0 }
    }

    /// Adds a value. An indented label belongs to the row that the last value that was not indented went to.
    pub(super) fn add(&mut self, label: &str, tool: &Tool, value: f64) {
        let indented = label.starts_with(' ');
        let known =
            self.rows.iter().position(|row| row.label == label && (!indented || row.about == self.about));
        let row = known.unwrap_or_else(|| {
            let about = if indented { self.about } else { self.rows.len() };
            self.rows.push(Row {
                label: label.to_owned(),
                about,
                values: vec![Vec::new(); self.tools.len()],
            });
            self.rows.len() - 1
        });
        if !indented {
            self.about = row;
        }
        let column = self.tools.iter().position(|name| *name == tool.name()).unwrap_or_default();
        self.rows[row].values[column].push(value);
    }

    /// Prints the medians, an object a row: what was measured, of what, and each tool's.
    pub(super) fn print_json(&self) {
        for row in &self.rows {
            let mut object = serde_json::Map::new();
            object.insert("measure".into(), row.label.trim().into());
            if row.label.starts_with(' ') {
                object.insert("of".into(), self.rows[row.about].label.as_str().into());
            }
            for (tool, values) in self.tools.iter().zip(&row.values) {
                // No number is null.
                object.insert((*tool).to_owned(), median(values).into());
            }
            println!("{}", serde_json::Value::Object(object));
        }
    }

    /// Prints the medians, and the ratios of the first tool's to the others'.
    pub(super) fn print(&self, runs: u32, events: u64) {
        println!("medians of {runs} runs that took turns; {events} system calls a measurement");
        let width = self.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or_default();
        let line = |label: &str, columns: Vec<String>| {
            let columns: String = columns.iter().map(|text| format!("{text:>12}")).collect();
            println!("{label:width$}{columns}");
        };
        let mut head: Vec<String> = self.tools.iter().map(|name| (*name).to_owned()).collect();
        head.extend(self.tools[1..].iter().map(|name| format!("/ {name}")));
        line("", head);
        for row in &self.rows {
            let medians: Vec<f64> = row.values.iter().map(|values| median(values)).collect();
            let shown = |value: f64, digits| match value.is_nan() {
                true => "-".to_owned(),
                false => format!("{value:.digits$}"),
            };
            let values = medians.iter().map(|value| shown(*value, 1));
            let ratios = medians[1..].iter().map(|theirs| shown(medians[0] / theirs, 2));
            line(&row.label, values.chain(ratios).collect());
        }
    }
}

/// The middle value, or the mean of the two in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length => (sorted[(length - 1) / 2] + sorted[length / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 20.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 30.0]), 3.0);
    }
}
