//! Files of older format versions, in which `escape` (version 1), `final_probability`, `slices` and `static_odds` (versions 1 and 2) held what stands in groups
//! below them since.

use crate::error::Result;
use crate::output::group::{Group, ResultFile};
use crate::output::record::Record;
use crate::output::stack::{INDEX, SWEPT};

const ESCAPE: &str = "escape";
const FINAL: &str = "final_probability";
const SLICES: &str = "slices";
const STATIC: &str = "static_odds";

/// The groups below others, also in single cells of a sweep, with what is in them, in their order.
const BELOW: [(&str, &str, &str); 18] = [
    (
        ESCAPE,
        "convergence",
        "how numbers and fields change between the grids",
    ),
    (
        ESCAPE,
        "fields",
        "functions of the variables on the cells of the finest grid",
    ),
    (ESCAPE, "first_passage_law", "the law of the first-passage time"),
    (
        ESCAPE,
        "density_in_time",
        "the density of the process that begins at the start",
    ),
    (ESCAPE, "integral", "the mean first-passage time by quadrature"),
    (ESCAPE, "simulation", "the simulated mean first-passage time"),
    (FINAL, "two_state", "two-state master equation, eta -> 0"),
    (
        FINAL,
        "density",
        "Fokker-Planck equation in x with y(t) on the floor, eta -> 0",
    ),
    (
        FINAL,
        "transfer",
        "transfer operator of the SGD map at the learning rate",
    ),
    (
        FINAL,
        "isotropic",
        "control: isotropic noise, Fokker-Planck, eta -> 0",
    ),
    (
        FINAL,
        "planar",
        "Fokker-Planck equation in the plane with the full tensor, eta -> 0",
    ),
    (SLICES, "grid", "Fokker-Planck grid"),
    (SLICES, "integral", "exact integrals of the Ito equation"),
    (
        SLICES,
        "langevin",
        "Langevin simulation, extrapolated to zero time step",
    ),
    (SLICES, "paper", "the paper's formulas"),
    (
        SLICES,
        "closed_form",
        "closed forms of the stationary probability of x > 0",
    ),
    (
        STATIC,
        "isotropic",
        "control: probability of the flat valley under isotropic noise of the valleys' mean strength",
    ),
    (
        STATIC,
        "rounded_ridge",
        "the slice at ridge_y with its ridge rounded over a width, the noise following the curvature of the valleys",
    ),
];

/// The same file with the groups of this version.
pub(super) fn regrouped(old: &ResultFile) -> Result<ResultFile> {
    let mut file = ResultFile::new();
    for (name, value) in old.attributes() {
        file.set_attribute(name, value.clone())?;
    }
    for group in old.groups() {
        for part in parts(group)? {
            file.push(part)?;
        }
    }
    Ok(file)
}

fn parts(old: &Group) -> Result<Vec<Group>> {
    let kind = old.name().rsplit('/').next().unwrap_or_default();
    let mut rest = Group::new(old.name())?.with_description(old.description());
    for (name, value) in old.attributes() {
        rest.set_attribute(name, value.clone())?;
    }
    let below = BELOW.iter().filter(|(group, ..)| *group == kind);
    let mut below: Vec<(&str, Group)> = below
        .map(|(_, name, text)| {
            let group = Group::new(&format!("{}/{name}", old.name()))?;
            Ok((*name, group.with_description(text)))
        })
        .collect::<Result<_>>()?;
    for record in old.records() {
        let place = place(kind, record);
        let found = place.and_then(|(place, name)| Some((below.iter_mut().find(|b| b.0 == place)?, name)));
        let Some(((_, group), name)) = found else {
            rest.push(record.clone())?;
            continue;
        };
        for dimension in record.dimensions() {
            // A group has coordinates of its own.
            let own = dimension.name.strip_suffix(INDEX).unwrap_or(&dimension.name);
            if let Some(coordinate) = old.record(own)
                && group.record(own).is_none()
            {
                group.push(coordinate.clone())?;
            }
        }
        if group.record(&name).is_none() {
            group.push(record.renamed(&name)?)?;
        }
    }
    // What a problem of [escape] has not, a file of it lacks; the others have all of their groups, if need be empty.
    below.retain(|(_, group)| kind != ESCAPE || !group.records().is_empty());
    let below = below.into_iter().map(|(_, group)| group);
    Ok(std::iter::once(rest).chain(below).collect())
}

/// The group below another in which a record stands now, and its name there; none for what stands where it did.
fn place(group: &str, record: &Record) -> Option<(&'static str, String)> {
    let name = record.name();
    match group {
        ESCAPE => place_in_escape(record),
        FINAL if name == "mean_freezing_y_poisson" => Some(("two_state", name.into())),
        SLICES if ["p_flat_ito", "p_flat_stratonovich", "p_flat_antiito"].contains(&name) => {
            Some(("closed_form", name.into()))
        }
        // NAME_ROUTE and NAME_ROUTE_error
        FINAL | SLICES => {
            let routes = BELOW.iter().filter(|(known, ..)| *known == group);
            routes.into_iter().find_map(|(_, route, _)| {
                let (start, end) = name.split_once(&format!("_{route}"))?;
                Some((*route, format!("{start}{end}")))
            })
        }
        STATIC => match name {
            "odds_continuous" => None,
            "odds_continuous_ridge" => Some(("rounded_ridge", "odds_continuous".into())),
            "ridge_gap" => Some(("rounded_ridge", "spectral_gap".into())),
            "ridge_width" | "splitting" => Some(("rounded_ridge", name.into())),
            _ if name.starts_with("odds_") => Some(("rounded_ridge", name.into())),
            _ => Some((
                "isotropic",
                format!("p_flat_{}", name.strip_prefix("isotropic_")?),
            )),
        },
        _ => None,
    }
}

/// Of version 1; what version 2 left in the group stays.
fn place_in_escape(record: &Record) -> Option<(&'static str, String)> {
    let name = record.name();
    if let Some(rest) = name.strip_prefix("simulated_") {
        return Some(("simulation", rest.into()));
    }
    if [
        "mean_first_passage_time_integral",
        "mean_first_passage_time_integral_error",
    ]
    .contains(&name)
    {
        return Some(("integral", name.replace("_integral", "")));
    }
    if name.ends_with("_order") || name.ends_with("_change") {
        return Some(("convergence", name.into()));
    }
    let is_along = |what: &str| record.dimensions().iter().any(|d| d.name == what);
    if is_along("first_passage_time") {
        return Some(("first_passage_law", name.into()));
    }
    if is_along("density_time") {
        return Some(("density_in_time", name.into()));
    }
    let is_field = record.dimensions().iter().any(|d| !d.name.starts_with(SWEPT));
    is_field.then(|| ("fields", name.into()))
}
