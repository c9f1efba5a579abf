//! The main numbers of a task as a table for the terminal.

use crate::output::{Attribute, padded, push_wrapped, shortest};
use crate::task::MainNumber;

/// Significant digits of a parameter.
const PARAMETER_DIGITS: usize = 4;
/// Space between columns.
const GAP: usize = 2;

type Row = [(String, Attribute)];

/// Numbers that stand for the whole result one a line; others in rows of their parameters, in as many blocks of columns as the width asks for. Of more
/// than `most_rows` rows the lowest and the highest number of each column are shown with their parameters.
pub fn number_table(numbers: &[MainNumber], width: usize, most_rows: usize) -> String {
    let mut out = String::new();
    for part in by_parameters(numbers) {
        let columns = columns(&part);
        let rows = rows(&part);
        if rows.iter().all(|row| row.is_empty()) {
            let name = columns.iter().map(|name| name.chars().count()).max();
            for number in &part {
                let head = padded(&number.name, name.unwrap_or_default() + GAP);
                push_wrapped(
                    &mut out,
                    width,
                    &format!("  {head}"),
                    4,
                    &number.value.to_string(),
                );
            }
        } else if rows.len() > most_rows {
            for name in columns {
                push_extremes(&mut out, width, name, &part);
            }
        } else {
            push_rows(&mut out, width, &part, &rows, &columns);
        }
    }
    out
}

/// Numbers with the same parameters together, in the order of first occurrence.
fn by_parameters(numbers: &[MainNumber]) -> Vec<Vec<&MainNumber>> {
    let mut parts: Vec<Vec<&MainNumber>> = Vec::new();
    for number in numbers {
        let is_same = |part: &&mut Vec<&MainNumber>| {
            let names =
                |number: &MainNumber| number.at.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            names(part[0]) == names(number)
        };
        match parts.iter_mut().find(is_same) {
            Some(part) => part.push(number),
            None => parts.push(vec![number]),
        }
    }
    parts
}

fn columns<'a>(part: &[&'a MainNumber]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for number in part {
        if !names.contains(&number.name.as_str()) {
            names.push(&number.name);
        }
    }
    names
}

/// Rows in the order of the columns, in which a row that the columns before lack stands behind the one before it in its own.
fn rows<'a>(part: &[&'a MainNumber]) -> Vec<&'a Row> {
    let mut rows: Vec<&Row> = Vec::new();
    for name in columns(part) {
        let own: Vec<&Row> = part
            .iter()
            .filter(|number| number.name == name)
            .map(|number| number.at.as_slice())
            .collect();
        for (k, row) in own.iter().enumerate() {
            let place = |of: &Row| rows.iter().position(|known| *known == of);
            if place(row).is_none() {
                let at = match k {
                    0 => own.iter().find_map(|later| place(later)),
                    _ => place(own[k - 1]).map(|before| before + 1),
                };
                rows.insert(at.unwrap_or(rows.len()), row);
            }
        }
    }
    rows
}

fn push_extremes(out: &mut String, width: usize, name: &str, part: &[&MainNumber]) {
    let of: Vec<&&MainNumber> = part.iter().filter(|number| number.name == name).collect();
    let by_value = |a: &&&&MainNumber, b: &&&&MainNumber| a.value.value.total_cmp(&b.value.value);
    if let (Some(low), Some(high)) = (of.iter().min_by(by_value), of.iter().max_by(by_value)) {
        let at = |number: &MainNumber| format!("{} ({})", number.value, place(&number.at));
        let text = format!("{} to {}, {} numbers", at(low), at(high), of.len());
        push_wrapped(out, width, &format!("  {name}  "), 6, &text);
    }
}

/// Parameters with their values: `y 5, noise_strength 1e-3`.
pub fn place(at: &Row) -> String {
    let parts = at.iter().map(|(name, value)| format!("{name} {}", told(value)));
    parts.collect::<Vec<String>>().join(", ")
}

fn push_rows(out: &mut String, width: usize, part: &[&MainNumber], rows: &[&Row], columns: &[&str]) {
    let table_column = |head: &str, cells: Vec<String>| -> Vec<String> {
        let column: Vec<String> = std::iter::once(head.to_string()).chain(cells).collect();
        let widest = column.iter().map(|cell| cell.chars().count()).max();
        let of_width = |cell: &String| padded(cell, widest.unwrap_or_default() + GAP);
        column.iter().map(of_width).collect()
    };
    let parameters: Vec<Vec<String>> = rows[0]
        .iter()
        .enumerate()
        .map(|(k, (name, _))| table_column(name, rows.iter().map(|row| told(&row[k].1)).collect()))
        .collect();
    let cell = |row: &Row, name: &str| {
        let found = part.iter().find(|number| number.name == name && number.at == row);
        found.map_or(String::from("-"), |number| number.value.to_string())
    };
    let numbers: Vec<Vec<String>> = columns
        .iter()
        .map(|name| table_column(name, rows.iter().map(|row| cell(row, name)).collect()))
        .collect();
    let wide = |column: &Vec<String>| column[0].chars().count();
    let fixed = 2 + parameters.iter().map(wide).sum::<usize>();
    let mut begin = 0;
    while begin < numbers.len() {
        let mut end = begin + 1;
        let mut taken = fixed + wide(&numbers[begin]);
        while end < numbers.len() && taken + wide(&numbers[end]) <= width + GAP {
            taken += wide(&numbers[end]);
            end += 1;
        }
        for line in 0..=rows.len() {
            let cells = parameters.iter().chain(&numbers[begin..end]);
            let text: String = cells.map(|column| column[line].as_str()).collect();
            out.push_str(&format!("  {}\n", text.trim_end()));
        }
        begin = end;
    }
}

/// A parameter in few digits.
fn told(value: &Attribute) -> String {
    match value {
        Attribute::Text(text) => text.clone(),
        Attribute::Integer(number) => number.to_string(),
        Attribute::Float(number) => {
            let rounded = format!("{number:.*e}", PARAMETER_DIGITS - 1);
            shortest(rounded.parse().unwrap_or(*number))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Rows;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn numbers_of_the_whole_stand_one_a_line() {
        let numbers = [
            MainNumber::new("escape_rate", "1/time", 1.5e-12, 1e-14),
            MainNumber::new("gap", "1/time", 0.25, 0.0),
        ];
        let text = number_table(&numbers.concat(), 100, 10);
        assert_eq!(
            text,
            "  escape_rate  1.500e-12 ± 1.0e-14\n  gap          0.2500\n"
        );
    }

    #[test]
    fn rows_fit_the_width_or_fold_to_their_extremes() {
        let strengths: Vec<f64> = (1..=7).map(|k| 1e-4 * f64::from(k) / 3.0).collect();
        let rows = Rows::along("noise_strength", &strengths);
        let values: Vec<f64> = strengths.iter().map(|s| 1.0 - s).collect();
        let names = [
            "p_flat_density",
            "p_flat_transfer",
            "p_flat_two_state",
            "mean_freezing_y",
        ];
        let numbers: Vec<MainNumber> = names
            .iter()
            .flat_map(|name| rows.column(name, &values, &[1e-5; 7]))
            .collect();
        for width in [60, 100] {
            let text = number_table(&numbers, width, 7);
            assert!(widest(&text) <= width, "{text}");
            assert!(names.iter().all(|name| text.contains(name)), "{text}");
        }
        assert_eq!(number_table(&numbers, 60, 7).lines().count(), 2 * 8);
        let folded = number_table(&numbers, 100, 6);
        assert!(
            folded.starts_with("  p_flat_density  0.999767 ± 1.0e-5 (noise_strength 2.333e-4) to 0.999967"),
            "{folded}"
        );
        assert!(widest(&folded) <= 100 && folded.contains("7 numbers"), "{folded}");
    }

    #[test]
    fn a_number_that_a_row_lacks_is_a_dash() {
        let rows = Rows::along("y", &[1.0, 2.0]);
        let numbers = [
            rows.column("a", &[1.0, 2.0], &[]),
            rows.column("b", &[f64::NAN, 3.0], &[]),
        ];
        let text = number_table(&numbers.concat(), 100, 10);
        assert_eq!(text, "  y  a      b\n  1  1.000  -\n  2  2.000  3.000\n");
    }

    #[test]
    fn rows_keep_the_order_of_every_column() {
        let rows = Rows::along("y", &[1.0, 2.0, 3.0, 4.0]);
        let gap = f64::NAN;
        let numbers = [
            rows.column("a", &[1.0, gap, gap, gap], &[]),
            rows.column("b", &[1.0, gap, gap, 1.0], &[]),
            rows.column("c", &[gap, 1.0, 1.0, 1.0], &[]),
        ];
        let text = number_table(&numbers.concat(), 100, 10);
        let order: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(order, ["y", "1", "2", "3", "4"], "{text}");
    }
}
