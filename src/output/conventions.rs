//! Attributes of records by the CF conventions (Climate and Forecast metadata, version 1.11): one definition for files and for Python.

use super::group::Group;
use super::record::{Record, in_words};

/// Value of the root attribute `Conventions`.
pub const CONVENTIONS: &str = "CF-1.11";

/// Units of UDUNITS that records have; every other unit says what a pure number counts or measures in the model.
const PHYSICAL: [&str; 1] = ["s"];
/// Ends of the names of errors.
const ERRORS: [&str; 2] = ["_error", "_standard_error"];

/// The attributes of a record of the group that are texts, by name:
///
/// - `units` in the language of UDUNITS: `1`, as quantities of a model are pure numbers, or `s`;
/// - `measured_in`, what the number counts or measures in the model, such as `time` or `1/time`, where it is more than `1`;
/// - `long_name`, the description, or the name in words where there is none; `symbol`, where there is one;
/// - `missing`, what NaN stands for, where it may occur;
/// - `ancillary_variables`, the record with the error, where the group has it.
///
/// # Examples
/// ```
/// use freezeout::output::{Group, Record, cf_attributes};
/// let mut group = Group::new("escape")?;
/// group.push(Record::scalar("escape_rate", "1/time", 0.0151)?.with_description("quasi-stationary rate"))?;
/// group.push(Record::scalar("escape_rate_error", "1/time", 2e-5)?)?;
/// let [rate, error] = group.records() else { unreachable!() };
/// let found = cf_attributes(rate, &group);
/// assert_eq!(found[0], ("units", "1".into()));
/// assert_eq!(found[1], ("measured_in", "1/time".into()));
/// assert_eq!(found[2], ("long_name", "quasi-stationary rate".into()));
/// assert_eq!(found[3], ("ancillary_variables", "escape_rate_error".into()));
/// assert_eq!(cf_attributes(error, &group)[2], ("long_name", "escape rate error".into()));
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn cf_attributes(record: &Record, group: &Group) -> Vec<(&'static str, String)> {
    let unit = record.unit();
    let units = if PHYSICAL.contains(&unit) { unit } else { "1" };
    let described = match record.description() {
        "" => in_words(record.name()),
        description => description.into(),
    };
    let symbol = Some(record.symbol()).filter(|symbol| !symbol.is_empty());
    let error = error_of(record, group).map(Record::name);
    let texts = [
        ("units", Some(units)),
        ("measured_in", (unit != units).then_some(unit)),
        ("long_name", Some(&*described)),
        ("symbol", symbol),
        ("missing", record.missing()),
        ("ancillary_variables", error),
    ];
    let given = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?.to_string())));
    given.collect()
}

/// The record that holds the error of another: entry by entry, or one number for all.
pub(super) fn error_of<'a>(record: &Record, group: &'a Group) -> Option<&'a Record> {
    let named = |end: &str| group.record(&format!("{}{end}", record.name()));
    let mut errors = ERRORS.iter().filter_map(|end| named(end));
    errors.find(|error| error.shape() == record.shape() || error.shape().is_empty())
}
