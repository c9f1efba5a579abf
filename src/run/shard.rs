//! Shards of a sweep: each computes some of its cells into a file of its own, on whatever machine, and merging gives the file of one run.

use super::checkpoint::changes;
use super::number_table::place;
use super::parse::{parse, parse_table};
use crate::error::{Error, Result};
use crate::judgement::claims::push_claims;
use crate::output::{Attribute, Cells, Group, Record, ResultFile, stack};
use std::fmt;
use std::str::FromStr;

/// Attribute that says which shard a file is.
pub(super) const SHARD: &str = "shard";
/// Group with the swept coordinates.
const SWEEP: &str = "sweep";
/// Beginning of the names of the groups of a cell.
const CELL: &str = "cell_";
/// Root attributes in which the shards of one sweep agree.
const SAME: [&str; 6] = [
    "config_hash",
    "seed",
    "input_files",
    "crate_version",
    "commit",
    "compiler",
];

/// One of several parts of a sweep, counted from 1: the cells whose numbers leave its own after division by their count.
///
/// # Examples
/// ```
/// use freezeout::run::Shard;
/// let shard: Shard = "2/4".parse()?;
/// assert_eq!(shard.to_string(), "2/4");
/// assert_eq!(shard.cells(6).collect::<Vec<usize>>(), [1, 5]);
/// assert!("5/4".parse::<Shard>().is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    count: usize,
}

impl Shard {
    /// How many shards there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// Its cells of so many.
    pub fn cells(self, of: usize) -> impl Iterator<Item = usize> {
        (self.number - 1..of).step_by(self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| *n > 0);
        let parts = text.split_once('/');
        let parts = parts.and_then(|(number_text, count)| Some((number(number_text)?, number(count)?)));
        match parts {
            Some((number, count)) if number <= count => Ok(Self { number, count }),
            Some((number, count)) => Err(Error::config(
                "--shard",
                format!("shard {number} of {count} does not exist: shards are counted from 1 to {count}"),
            )),
            None => Err(Error::config(
                "--shard",
                format!("{text:?} is not allowed: which shard and how many are needed, such as 2/4"),
            )),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

/// Adds the cells of a shard, by number, to a file that says what made it.
///
/// # Errors
/// As [`ResultFile::push`].
pub(super) fn push_shard(
    file: &mut ResultFile,
    shard: Shard,
    swept: &[Record],
    cells: &[(usize, Vec<Group>)],
) -> Result<()> {
    file.set_attribute(SHARD, shard.to_string())?;
    for (number, groups) in cells {
        for group in groups {
            file.push(group.renamed(&format!("{CELL}{number:06}/{}", group.name()))?)?;
        }
    }
    let mut group = Group::new(SWEEP)?.with_description("swept keys and their values");
    for coordinate in swept {
        group.push(coordinate.clone())?;
    }
    file.push(group)
}

/// A shard as it stands in a file.
struct Part<'a> {
    name: &'a str,
    file: &'a ResultFile,
    shard: Shard,
}

impl<'a> Part<'a> {
    fn new(name: &'a str, file: &'a ResultFile) -> Result<Self> {
        match (file.attributes().get(SHARD), file.group(SWEEP)) {
            (Some(Attribute::Text(text)), Some(_)) => Ok(Self {
                name,
                file,
                shard: text.parse()?,
            }),
            _ => Err(Error::Input {
                path: name.into(),
                message: "it is no shard of a sweep, as freezeout run --shard writes them".into(),
            }),
        }
    }

    fn text(&self, attribute: &str) -> String {
        match self.file.attributes().get(attribute) {
            Some(Attribute::Text(text)) => text.clone(),
            Some(Attribute::Integer(number)) => number.to_string(),
            Some(Attribute::Float(number)) => number.to_string(),
            None => "none".into(),
        }
    }

    /// What it is of that the other is not; none for two shards of one sweep.
    fn difference(&self, other: &Self) -> Result<Option<String>> {
        let differs = |name: &&&str| self.text(name) != other.text(name);
        let Some(name) = SAME.iter().find(differs) else {
            return Ok(None);
        };
        let tables = [self, other].map(|part| parse_table(&part.text("config")));
        let [ours, theirs] = tables;
        let keys = changes(&ours?, &theirs?);
        let keys: Vec<String> = keys.iter().map(|(key, what)| format!("{key} {what}")).collect();
        Ok(Some(match keys.is_empty() || *name != "config_hash" {
            false => keys.join(", "),
            true if *name == "config_hash" => {
                "the texts of the configurations differ in comments or order".into()
            }
            true => format!("{name} was {}, is {}", self.text(name), other.text(name)),
        }))
    }

    /// The groups of a cell under their own names; none when it has not computed it.
    fn cell(&self, number: usize) -> Result<Vec<Group>> {
        let begin = format!("{CELL}{number:06}/");
        let own = |group: &Group| Some(group.renamed(group.name().strip_prefix(&begin)?));
        self.file.groups().iter().filter_map(own).collect()
    }
}

/// The file that one run of the whole sweep writes, from the files of its shards, each with the name that messages give it.
///
/// # Errors
/// [`Error::Input`] for a file that is no shard, for shards of different configurations, input files or builds (with the difference), for cells that no
/// file has (with their parameters and the shard to which they belong), and for a cell of which two files have different numbers.
pub fn merge(files: &[(String, ResultFile)]) -> Result<ResultFile> {
    let parts = files.iter().map(|(name, file)| Part::new(name, file));
    let parts = parts.collect::<Result<Vec<Part>>>()?;
    let Some((first, others)) = parts.split_first() else {
        return Err(Error::config("merge", "there is no file to merge"));
    };
    for other in others {
        if let Some(difference) = first.difference(other)? {
            return Err(Error::Input {
                path: other.name.into(),
                message: format!("it is a shard of another sweep than {}: {difference}", first.name),
            });
        }
    }
    let sweep = Cells::new(first.file, SWEEP).ok_or_else(|| Error::Input {
        path: first.name.into(),
        message: "it names no swept key".into(),
    })?;
    let mut all: Vec<Vec<Group>> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    for number in 0..sweep.count() {
        let mut found: Option<(&str, Vec<Group>)> = None;
        for part in &parts {
            let groups = part.cell(number)?;
            match &found {
                _ if groups.is_empty() => (),
                Some((_, known)) if *known == groups => (),
                Some((name, _)) => {
                    return Err(Error::Input {
                        path: part.name.into(),
                        message: format!(
                            "its numbers of the cell {} are not those of {name}",
                            place(&sweep.at(number))
                        ),
                    });
                }
                None => found = Some((part.name, groups)),
            }
        }
        match found {
            Some((_, groups)) => all.push(groups),
            None => missing.push(format!(
                "{} (shard {}/{})",
                place(&sweep.at(number)),
                number % first.shard.count + 1,
                first.shard.count
            )),
        }
    }
    if !missing.is_empty() {
        /// Cells that a message names.
        const NAMED: usize = 4;
        let more = missing.len().saturating_sub(NAMED);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        return Err(Error::Config {
            key: "merge".into(),
            message: format!(
                "{} of {} cells are in no file: {}{rest}",
                missing.len(),
                sweep.count(),
                missing
                    .iter()
                    .take(NAMED)
                    .cloned()
                    .collect::<Vec<String>>()
                    .join("; ")
            ),
        });
    }
    let mut file = ResultFile::new();
    for (name, value) in first.file.attributes().iter().filter(|(name, _)| *name != SHARD) {
        file.set_attribute(name, value.clone())?;
    }
    for group in stacked(&sweep.swept(), &all)? {
        file.push(group)?;
    }
    push_claims(&mut file, &parse(&first.text("config"))?)?;
    Ok(file)
}

/// The groups of all cells, each stacked along the swept coordinates.
///
/// # Errors
/// As [`stack`].
pub(super) fn stacked(swept: &[Record], cells: &[Vec<Group>]) -> Result<Vec<Group>> {
    let groups = cells.first().map_or(0, Vec::len);
    (0..groups)
        .map(|g| {
            let of_all: Option<Vec<&Group>> = cells.iter().map(|cell| cell.get(g)).collect();
            stack(swept, &of_all.unwrap_or_default())
        })
        .collect()
}
