//! The one error type of the crate.
//!
//! Every variant carries the data that a user needs to repair the call; messages are one line and end
//! without a full stop, so that they can be printed behind `error: `.

use thiserror::Error;

/// Result of every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, with the data that says where and why.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is outside the range in which the quantity is defined (NaN included).
    #[error("{name} = {} is not allowed: {requirement}", shown(*value))]
    InvalidParameter {
        /// Name of the parameter as the user knows it.
        name: String,
        /// Offending value.
        value: f64,
        /// What is wanted instead.
        requirement: String,
    },
    /// Choices that do not go together, or do not apply here: there is no single number that is wrong.
    #[error("{subject}: {requirement}")]
    Inconsistent {
        /// What was chosen.
        subject: String,
        /// What is wanted instead.
        requirement: String,
    },
    /// A method for reversible processes was asked of one without detailed balance.
    #[error(
        "there is no detailed balance: the rates around a loop are out of balance by {imbalance:.3e} (relative), more than {allowed:.1e}"
    )]
    NoDetailedBalance {
        /// Largest relative imbalance.
        imbalance: f64,
        /// Allowed imbalance.
        allowed: f64,
    },
    /// A tensor with off-diagonal entries where only diagonal ones are treated.
    #[error("the diffusion tensor at {position} is not diagonal: {requirement}")]
    OffDiagonalTensor {
        /// Where.
        position: String,
        /// What is treated.
        requirement: String,
    },
    /// An error with the place where it arose: a dotted key, a cell of a sweep.
    #[error("{key}: {source}")]
    At {
        /// Dotted key, or other words for the place.
        key: String,
        /// What went wrong there.
        source: Box<Error>,
    },
    /// Two arrays or shapes that must agree do not.
    #[error("{name} has {got} entries where {expected} are needed")]
    DimensionMismatch {
        /// What was counted.
        name: String,
        /// Wanted number.
        expected: usize,
        /// Number found.
        got: usize,
    },
    /// A set of cells or states contains nothing.
    #[error("the {name} set is empty: no grid cell lies in it")]
    EmptySet {
        /// Which set.
        name: String,
    },
    /// Two sets that must be disjoint are not.
    #[error("the {first} and {second} sets overlap in {cells} cells")]
    OverlappingSets {
        /// First set.
        first: String,
        /// Second set.
        second: String,
        /// Number of shared cells.
        cells: usize,
    },
    /// The target cannot be reached from some state where the answer is needed.
    #[error("the {target} cannot be reached: {reason}")]
    Unreachable {
        /// Name of the target.
        target: String,
        /// Where the path is cut.
        reason: String,
    },
    /// The diffusion tensor is too anisotropic for a positive scheme of the allowed reach.
    #[error(
        "the diffusion tensor at {position} has anisotropy {anisotropy:.3e}; a positive stencil would reach {reach} cells, more than the {allowed} allowed: use a grid with cells closer to the tensor's shape or allow a larger reach"
    )]
    TooAnisotropic {
        /// Cell centre.
        position: String,
        /// Ratio of the tensor's eigenvalues in units of the cells.
        anisotropy: f64,
        /// Reach in cells that would be needed.
        reach: usize,
        /// Allowed reach.
        allowed: usize,
    },
    /// A matrix that must be positive semi-definite is not.
    #[error("the {name} at {position} is not positive semi-definite: eigenvalues {eigenvalues}")]
    NotPositive {
        /// Which matrix.
        name: String,
        /// Where.
        position: String,
        /// Its eigenvalues, formatted.
        eigenvalues: String,
    },
    /// An iteration stopped before it met its tolerance.
    #[error(
        "{method} did not converge: residual {residual:.3e} after {iterations} iterations, {tolerance:.1e} wanted"
    )]
    NotConverged {
        /// Method.
        method: String,
        /// Iterations done.
        iterations: usize,
        /// Residual reached.
        residual: f64,
        /// Tolerance wanted.
        tolerance: f64,
    },
    /// A number left the range of f64 or became NaN.
    #[error("{quantity} is not finite: {reason}")]
    NotFinite {
        /// What was computed.
        quantity: String,
        /// Where and why.
        reason: String,
    },
    /// Runs or paths of a simulation leave every bound: another step, noise or start mends it.
    #[error("{what} diverges: {reason}")]
    Diverges {
        /// What was simulated.
        what: String,
        /// Where, and what to change.
        reason: String,
    },
    /// No run or replica of a simulation reached the target, so that nothing is known of its rate.
    #[error("no {what} reached the target: {hint}")]
    NoneReached {
        /// What was simulated, a replica of any repetition say.
        what: String,
        /// What to change.
        hint: String,
    },
    /// The machine has not the memory for a computation.
    #[error("{what} does not fit into memory: {reason}")]
    OutOfMemory {
        /// What was computed.
        what: String,
        /// What failed.
        reason: String,
    },
    /// Probability lies outside the computational domain.
    #[error(
        "the domain cuts off probability {probability:.3e} ({where_}), more than {allowed:.1e}: widen it"
    )]
    DomainTooSmall {
        /// Probability beyond the domain.
        probability: f64,
        /// Allowed probability.
        allowed: f64,
        /// On which side.
        where_: String,
    },
    /// No run of an ensemble reached its target, so that only a bound is known.
    #[error(
        "all {samples} runs were censored at time {time}: the rate is only known to be below {bound:.3e} (95 %)"
    )]
    AllCensored {
        /// Runs.
        samples: usize,
        /// Censoring time.
        time: f64,
        /// Upper 95 % bound of the rate.
        bound: f64,
    },
    /// Too few samples for the estimator.
    #[error("{estimator} needs at least {needed} samples, got {got}")]
    TooFewSamples {
        /// Estimator.
        estimator: String,
        /// Needed number.
        needed: usize,
        /// Number found.
        got: usize,
    },
    /// The data contradict the assumption of an estimator.
    #[error(
        "{estimator} does not apply: its assumption has p-value {p_value:.3e}, below the significance {significance:.1e} ({hint})"
    )]
    AssumptionFails {
        /// Estimator.
        estimator: String,
        /// p-value of the test of its assumption.
        p_value: f64,
        /// Significance below which the estimator refuses.
        significance: f64,
        /// What to use instead.
        hint: String,
    },
    /// The learning rate, or the time step, makes the deterministic iteration unstable.
    #[error(
        "step * curvature = {} exceeds 2 at {position}: discrete steps diverge there; lower the learning rate or time step below {}", shown_to_five(*product), shown_to_five(*limit)
    )]
    Unstable {
        /// Step times the largest curvature.
        product: f64,
        /// Where.
        position: String,
        /// Largest stable step.
        limit: f64,
    },
    /// A configuration key is unknown, missing, or holds a value of the wrong kind.
    #[error("{key}: {message}")]
    Config {
        /// Dotted key.
        key: String,
        /// What is wanted.
        message: String,
    },
    /// A user expression does not parse or evaluate.
    #[error("expression {expression:?}: {message}")]
    Expression {
        /// The text.
        expression: String,
        /// What is wrong and where.
        message: String,
    },
    /// Known answers were not met.
    #[error("{failed} of {checks} validation checks failed")]
    ValidationFailed {
        /// Checks that failed.
        failed: usize,
        /// Checks made.
        checks: usize,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {message}")]
    Input {
        /// File.
        path: String,
        /// Cause.
        message: String,
    },
    /// A result file holds nothing that the figure shows.
    #[error("no figure can be drawn: {message}")]
    NothingToDraw {
        /// What is missing.
        message: String,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {message}")]
    Output {
        /// File.
        path: String,
        /// Cause.
        message: String,
    },
}

impl Error {
    /// The same error with the key of a configuration, or its section, in which it arose.
    ///
    /// Names of parameters and keys are taken as relative to `key`: `require_positive("width", -1.0)` at `"noise"` is about `noise.width`.
    ///
    /// # Examples
    /// ```
    /// use freezeout::error::require_positive;
    /// let error = require_positive("width", -1.0).unwrap_err().at("noise").at("escape");
    /// assert_eq!(error.to_string(), "escape.noise.width: -1 is not allowed: a positive finite number is needed");
    /// assert!(error.is_bad_input());
    /// ```
    #[must_use]
    pub fn at(self, key: &str) -> Self {
        match self {
            Self::InvalidParameter {
                name,
                value,
                requirement,
            } => Self::Config {
                key: format!("{key}.{name}"),
                message: format!("{} is not allowed: {requirement}", shown(value)),
            },
            Self::EmptySet { name } => Self::Config {
                key: format!("{key}.{name}"),
                message: "the set is empty".into(),
            },
            Self::Config { key: inner, message } => Self::Config {
                key: format!("{key}.{inner}"),
                message,
            },
            Self::At { key: inner, source } => Self::At {
                key: format!("{key}.{inner}"),
                source,
            },
            other => Self::At {
                key: key.into(),
                source: Box::new(other),
            },
        }
    }

    /// An [`Error::Config`].
    pub fn config(key: &str, message: impl Into<String>) -> Self {
        Self::Config {
            key: key.into(),
            message: message.into(),
        }
    }

    /// Whether the user can mend it by other input; the rest are failures of the computation.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::NotConverged { .. }
            | Self::NotFinite { .. }
            | Self::AllCensored { .. }
            | Self::NoneReached { .. }
            | Self::OutOfMemory { .. }
            | Self::TooFewSamples { .. }
            | Self::AssumptionFails { .. }
            | Self::NoDetailedBalance { .. }
            | Self::ValidationFailed { .. } => false,
            Self::InvalidParameter { .. }
            | Self::Inconsistent { .. }
            | Self::OffDiagonalTensor { .. }
            | Self::DimensionMismatch { .. }
            | Self::EmptySet { .. }
            | Self::OverlappingSets { .. }
            | Self::Unreachable { .. }
            | Self::TooAnisotropic { .. }
            | Self::NotPositive { .. }
            | Self::Diverges { .. }
            | Self::DomainTooSmall { .. }
            | Self::Unstable { .. }
            | Self::Config { .. }
            | Self::Expression { .. }
            | Self::Input { .. }
            | Self::NothingToDraw { .. }
            | Self::Output { .. } => true,
            Self::At { source, .. } => source.is_bad_input(),
        }
    }
}

/// Characters of the longest line that is shown to a user.
const LONGEST_LINE: usize = 1000;
/// Characters of the longest piece without a space in it: names and values that a user gave.
const LONGEST_PIECE: usize = 200;

/// The text as one line for a terminal: characters that control one are escaped, pieces without a space are cut at 200 characters and the whole at 1000.
///
/// # Examples
/// ```
/// use freezeout::error::on_one_line;
/// assert_eq!(on_one_line("key\u{1b}[31m: a\nb"), "key\\u{1b}[31m: a\\nb");
/// assert_eq!(on_one_line(&"x".repeat(300)).chars().count(), 201);
/// ```
#[must_use]
pub fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    let (mut length, mut piece) = (0, 0);
    for c in text.trim_end().chars() {
        piece = if c == ' ' { 0 } else { piece + 1 };
        if piece > LONGEST_PIECE {
            if piece == LONGEST_PIECE + 1 {
                line.push('…');
            }
            continue;
        }
        length += 1;
        if length > LONGEST_LINE {
            line.push('…');
            break;
        }
        // Quotes are as they should be; control and format characters, and separators other than the space, are not.
        let is_plain = matches!(c, ' '..='~') || c.is_alphanumeric();
        if is_plain {
            line.push(c);
        } else {
            line.extend(c.escape_debug());
        }
    }
    line
}

/// A number for people: in powers of ten where it would be a row of zeros.
///
/// # Examples
/// ```
/// use freezeout::error::shown;
/// assert_eq!([shown(-1.0), shown(0.3), shown(-1e-300), shown(1e300)], ["-1", "0.3", "-1e-300", "1e300"]);
/// ```
pub fn shown(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && size.is_finite() && !(1e-5..1e15).contains(&size) => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// [`shown`] to five digits.
fn shown_to_five(value: f64) -> String {
    match value.abs() {
        size if (1e-3..1e5).contains(&size) => format!("{value:.4}"),
        _ => format!("{value:.4e}"),
    }
}

/// Returns `value` if it is finite and satisfies `condition`, else [`Error::InvalidParameter`].
///
/// The door through which every parameter enters: NaN and infinities stop here.
pub fn require(name: &str, value: f64, condition: impl Fn(f64) -> bool, requirement: &str) -> Result<f64> {
    if value.is_finite() && condition(value) {
        Ok(value)
    } else {
        Err(Error::InvalidParameter {
            name: name.into(),
            value,
            requirement: requirement.into(),
        })
    }
}

/// [`require`] for a positive finite number.
pub fn require_positive(name: &str, value: f64) -> Result<f64> {
    require(name, value, |v| v > 0.0, "a positive finite number is needed")
}

/// [`require`] for a non-negative finite number.
pub fn require_non_negative(name: &str, value: f64) -> Result<f64> {
    require(name, value, |v| v >= 0.0, "a finite number >= 0 is needed")
}

/// [`require`] for any finite number.
pub fn require_finite(name: &str, value: f64) -> Result<f64> {
    require(name, value, |_| true, "a finite number is needed")
}
