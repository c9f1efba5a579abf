//! The main numbers of a result file by task, of a sweep those of every cell.

use super::tasks;
use crate::error::Result;
use crate::output::{Attribute, ResultFile, cells};
use crate::task::MainNumber;

/// The sections of a file with their main numbers, or why those of a task cannot be told.
pub type MainNumbers = Vec<(&'static str, Result<Vec<MainNumber>>)>;

/// The main numbers of each task, by section; those of a sweep stand at the swept keys first. A task whose records are not what this version expects has
/// the error in place of numbers.
///
/// # Errors
/// [`crate::Error::Output`] when the groups of a sweep are not what the stacking of cells makes.
pub fn main_numbers(file: &ResultFile) -> Result<MainNumbers> {
    let Some(cells) = cells(file) else {
        return Ok(tasks::main_numbers(file));
    };
    let mut all = MainNumbers::new();
    for k in 0..cells.count() {
        let at = cells.at(k);
        for (section, numbers) in tasks::main_numbers(&cells.cell(k)?) {
            let numbers = numbers.map(|numbers| {
                // a coordinate of the task that is the swept key itself is told once
                let is_new = |(name, value): &(String, Attribute)| {
                    let key = format!("{section}.{name}");
                    !at.iter().any(|(known, set)| *known == key && set == value)
                };
                let swept = |number: MainNumber| MainNumber {
                    at: (at.iter().cloned())
                        .chain(number.at.into_iter().filter(is_new))
                        .collect(),
                    ..number
                };
                numbers.into_iter().map(swept).collect::<Vec<MainNumber>>()
            });
            match all.iter_mut().find(|(known, _)| *known == section) {
                Some((_, Ok(known))) => known.extend(numbers?),
                Some(_) => (),
                None => all.push((section, numbers)),
            }
        }
    }
    Ok(all)
}
