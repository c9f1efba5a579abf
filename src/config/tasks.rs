//! A whole configuration, and the table of tasks.
//!
//! The sections `[landscape]`, `[noise]`, `[sgd]` and `[region]` say what all tasks are about; each task is a section of its own and writes groups of
//! the result file. Every key has the default documented at it; unknown keys are errors.

use crate::error::{Error, Result};
use crate::math::Formula;
use crate::output::ResultFile;
use crate::questions::coupled::Coupled;
use crate::questions::critical_points::CriticalPointsKeys;
use crate::questions::escape::Escape;
use crate::questions::freezing::Freezing;
use crate::questions::network::Network;
use crate::questions::network_escape::NetworkEscape;
use crate::questions::network_schedules::NetworkSchedules;
use crate::questions::noise_laws::NoiseLaws;
use crate::questions::phase_space::PhaseSpaceKeys;
use crate::questions::rare_events::RareEvents;
use crate::questions::stable_exit::StableExit;
use crate::questions::transfer_operator::TransferOperator;
use crate::setting::Setting;
use crate::setting::landscape::LandscapeKeys;
use crate::setting::noise::NoiseKeys;
use crate::setting::parameter_range::Sweep;
use crate::setting::region::RegionKeys;
use crate::setting::sgd::SgdKeys;
use crate::task::{Cost, FigureEntry, MainNumber, Task, Work};
use crate::two_valleys::ablations::Ablations;
use crate::two_valleys::effective_potential::EffectivePotential;
use crate::two_valleys::final_probability::FinalProbability;
use crate::two_valleys::freezing_line::FreezingLine;
use crate::two_valleys::freezing_theory::FreezingTheory;
use crate::two_valleys::phase_diagram::PhaseDiagram;
use crate::two_valleys::schedule_design::ScheduleDesignKeys;
use crate::two_valleys::schedules::Schedules;
use crate::two_valleys::slices::Slices;
use crate::two_valleys::static_odds::StaticOdds;
use crate::two_valleys::stationary_map::StationaryMap;
use crate::two_valleys::surface::Surface;
use crate::two_valleys::trajectories::Trajectories;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes the configuration and what is done with all of its tasks from one line a task.
macro_rules! tasks {
    ($($(#[doc = $doc:literal])+ $section:ident: $keys:ty,)+) => {
        /// A whole configuration.
        #[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            /// name of the experiment and of its result file: letters, digits, _ and -
            pub name: String,
            /// seed of all random streams
            #[serde(default = "default_seed")]
            pub seed: u64,
            /// whether the cells of a sweep share this seed, and so what is drawn alike in each, such as the initial state of a network; else each has its own
            #[serde(default)]
            pub shared_seed: bool,
            #[allow(missing_docs)]
            #[serde(default)]
            pub landscape: LandscapeKeys,
            #[allow(missing_docs)]
            #[serde(default)]
            pub noise: Option<NoiseKeys>,
            #[allow(missing_docs)]
            #[serde(default)]
            pub sgd: Option<SgdKeys>,
            #[allow(missing_docs)]
            #[serde(default)]
            pub region: Option<RegionKeys>,
            $(
                $(#[doc = $doc])+
                #[serde(default)]
                pub $section: Option<$keys>,
            )+
            /// parameters over which all tasks are repeated, at most two
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub sweep: Vec<Sweep>,
        }

        /// The figures of each task.
        pub const FIGURES: &[&[FigureEntry]] = &[$(<$keys as Task>::FIGURES),+];

        /// The main numbers of each task that the file holds, by section; an error where a group lacks a record that it should hold, which says that
        /// another version wrote the file.
        pub fn main_numbers(file: &ResultFile) -> Vec<(&'static str, Result<Vec<MainNumber>>)> {
            let mut all = vec![$((stringify!($section), <$keys as Task>::main_numbers(file)),)+];
            all.retain(|(_, numbers)| !matches!(numbers, Ok(numbers) if numbers.is_empty()));
            all
        }

        /// Dotted keys that set the shapes of records.
        pub fn shaped_by() -> Vec<String> {
            let mut keys = Vec::new();
            $(keys.extend(<$keys as Task>::SHAPED_BY.iter().map(|key| format!("{}.{key}", stringify!($section))));)+
            keys
        }

        impl Config {
            /// What each task is expected to need, by section; nothing is checked or allocated.
            pub fn costs(&self) -> Vec<(&'static str, Cost)> {
                let setting = self.unchecked_setting();
                let mut costs = Vec::new();
                $(
                    if let Some(task) = &self.$section {
                        costs.push((stringify!($section), task.cost(&setting)));
                    }
                )+
                costs
            }

            /// Checks every key and builds the work of every task, in the order of the table.
            ///
            /// # Errors
            /// [`Error::Config`] naming the key that is out of range.
            pub fn prepare(&self) -> Result<Vec<Work>> {
                let setting = self.setting()?;
                let mut used: Vec<&str> = Vec::new();
                let mut all: Vec<Work> = Vec::new();
                $(
                    if let Some(task) = &self.$section {
                        used.extend(<$keys as Task>::USES);
                        let work = task.prepare(&setting).map_err(|e| asked_by(stringify!($section), e))?;
                        all.push(Box::new(move |progress| {
                            work(progress).map_err(|e| in_section(stringify!($section), e))
                        }));
                    }
                )+
                if all.is_empty() {
                    return Err(Error::config("configuration", "there is no task; freezeout list names them"));
                }
                for (section, is_given) in [("sgd", self.sgd.is_some()), ("region", self.region.is_some())] {
                    if is_given && !used.contains(&section) {
                        return Err(Error::config(section, "no task of this configuration uses this section"));
                    }
                }
                // Last, as a formula that cannot be read uses nothing.
                self.require_used_parameters()?;
                Ok(all)
            }
        }
    };
}

tasks! {
    /// stationary law, escape, relaxation and transitions of any landscape and noise in one or two variables
    escape: Escape,
    /// exact law of SGD at its learning rate on a line, beside the limit of small steps in `[escape]`
    transfer_operator: TransferOperator,
    /// motion with inertia in one variable, or SGD with momentum as its limit, on a grid of position and velocity
    phase_space: PhaseSpaceKeys,
    /// mean first-passage times at any barrier by splitting, of Langevin paths or SGD itself, in up to four variables
    rare_events: RareEvents,
    /// mean exit times of an interval under α-stable noise, beside the law of one jump
    stable_exit: StableExit,
    /// minima, saddles, lowest passes and Eyring-Kramers-Langer rates, in up to four variables
    critical_points: CriticalPointsKeys,
    /// spectral gap of two to six weakly coupled variables, from the modes of each alone
    coupled: Coupled,
    /// valleys along a slow variable of any problem in two variables: probabilities, last hops, effective potentials, where selection freezes
    freezing: Freezing,
    /// stationary odds of the valleys at fixed y by SGD, its map and closed forms, on a cusp and on a rounded ridge
    static_odds: StaticOdds,
    /// loss and effective potential on slices of fixed y
    effective_potential: EffectivePotential,
    /// hop times, odds and gap at fixed y by independent routes
    slices: Slices,
    /// the loss in the plane, for a picture
    surface: Surface,
    /// single runs of discrete SGD, step by step
    trajectories: Trajectories,
    /// stationary P_flat at fixed y, and the freezing line
    stationary_map: StationaryMap,
    /// two-state master equation along the slow path with exact slice rates
    freezing_theory: FreezingTheory,
    /// final P_flat and freezing position by the density routes
    final_probability: FinalProbability,
    /// final P_flat when the noise is lowered or raised along training: theory, density, map of SGD and SGD itself
    schedules: Schedules,
    /// the schedule of the noise that selects the flat valley most often, beside the usual ones at equal steps
    schedule_design: ScheduleDesignKeys,
    /// SGD with momentum, heavy tails, noise of labels and finite sums: whether freezing still selects the flat valley
    noise_laws: NoiseLaws,
    /// discrete SGD with one ingredient of the model changed at a time
    ablations: Ablations,
    /// SGD ensembles from early training to the end, over sigma
    freezing_line: FreezingLine,
    /// SGD ensembles over learning rate (rows) and sigma (columns)
    phase_diagram: PhaseDiagram,
    /// training of neural networks over learning rate and batch size: continuation, freezing, flatness and noise
    network: Network,
    /// sections of a network's loss through end points of gradient descent, and predicted against measured escape
    network_escape: NetworkEscape,
    /// a network whose noise is lowered early or late along training, at equal iterations
    network_schedules: NetworkSchedules,
}

fn default_seed() -> u64 {
    20_260_110
}

impl Config {
    /// The sections that mean the same for every task, checked by themselves.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key that is out of range.
    pub fn setting(&self) -> Result<Setting> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || !self.name.chars().all(allowed) {
            return Err(Error::config(
                "name",
                format!("{:?} is not allowed: letters, digits, _ and - are", self.name),
            ));
        }
        if i64::try_from(self.seed).is_err() {
            return Err(Error::config("seed", format!("at most {} is possible", i64::MAX)));
        }
        self.landscape.dimension().map_err(|e| e.at("landscape"))?;
        if let Some(noise) = &self.noise {
            noise.check().map_err(|e| e.at("noise"))?;
        }
        if let Some(sgd) = &self.sgd {
            sgd.check().map_err(|e| e.at("sgd"))?;
        }
        Ok(self.unchecked_setting())
    }

    fn unchecked_setting(&self) -> Setting {
        Setting {
            seed: self.seed,
            landscape: self.landscape.clone(),
            noise: self.noise.clone(),
            sgd: self.sgd,
            region: self.region.clone(),
        }
    }

    /// Refuses a parameter that no formula mentions: a slip of the pen, and swept over it would repeat one result.
    fn require_used_parameters(&self) -> Result<()> {
        if self.landscape.parameters.is_empty() {
            return Ok(());
        }
        let mut table =
            toml::Table::try_from(self).map_err(|e| Error::config("configuration", e.to_string()))?;
        table.remove("name");
        table.remove("sweep");
        let (table, mut texts) = (toml::Value::Table(table), Vec::new());
        collect_texts(&table, &mut texts);
        for name in self.landscape.parameters.keys() {
            if !texts.iter().any(|text| Formula::<1>::mentions(text, name)) {
                return Err(Error::config(
                    &format!("landscape.parameters.{name}"),
                    "no formula uses this parameter: use it or leave it out",
                ));
            }
        }
        Ok(())
    }
}

/// All texts of a value, at any depth.
fn collect_texts<'a>(value: &'a toml::Value, texts: &mut Vec<&'a str>) {
    match value {
        toml::Value::String(text) => texts.push(text),
        toml::Value::Array(values) => values.iter().for_each(|v| collect_texts(v, texts)),
        toml::Value::Table(table) => table.values().for_each(|v| collect_texts(v, texts)),
        _ => (),
    }
}

/// Says which task is not defined for a common section; what names a key of the task stands as it is.
fn asked_by(section: &str, error: Error) -> Error {
    match error {
        Error::Config { key, message } if !key.starts_with(section) => Error::Config {
            key,
            message: format!("{message} (asked by [{section}])"),
        },
        other => other,
    }
}

/// Names the task in which a computation failed; what names a key or a file stands as it is.
fn in_section(section: &str, error: Error) -> Error {
    match error {
        Error::Config { .. } | Error::Output { .. } | Error::Input { .. } | Error::At { .. } => error,
        other => other.at(section),
    }
}
