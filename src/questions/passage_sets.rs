//! From where to where a task measures times: what its group says, and whether two tasks say the same.

use crate::error::Result;
use crate::output::{Attribute, Group, ResultFile};
use crate::setting::sets::SetKeys;

/// Attributes of a group of passage times: the sets as they are configured.
const SETS: [&str; 2] = ["start", "target"];

/// Says in the group of a task from where to where its times are.
///
/// # Errors
/// [`crate::Error::Config`] for a set that cannot be written.
pub(super) fn say_sets(group: &mut Group, start: &SetKeys, target: &SetKeys) -> Result<()> {
    for (name, set) in SETS.into_iter().zip([start, target]) {
        group.set_attribute(name, set.text()?)?;
    }
    Ok(())
}

/// Start and target of a group that says them; groups of older versions do not.
fn sets<'a>(file: &'a ResultFile, group: &str) -> Option<[&'a Attribute; 2]> {
    let group = file.group(group)?;
    let [start, target] = SETS.map(|name| group.attributes().get(name));
    Some([start?, target?])
}

/// Whether the times in two groups of a file are from the same start to the same target: such alone can be compared. Sets are the same where they are written the same;
/// where a group does not say them, it is open, which is no.
pub(crate) fn have_the_same_sets(file: &ResultFile, one: &str, other: &str) -> bool {
    let both = sets(file, one).zip(sets(file, other));
    both.is_some_and(|(one, other)| one == other)
}

/// Whether two groups of a file say that their times are from another start or to another target.
pub(crate) fn have_other_sets(file: &ResultFile, one: &str, other: &str) -> bool {
    let both = sets(file, one).zip(sets(file, other));
    both.is_some_and(|(one, other)| one != other)
}
