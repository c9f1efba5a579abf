//! The path of least action from the attractor of the start to the end asked for, and the saddles on it.

use super::problem::Problem;
use crate::diffusion::{Diffusion, Equilibrium, noise_free_limit};
use crate::error::{Error, Result, require_positive};
use crate::landscape::{Kink, Landscape};
use crate::math::{Point, Tensor};
use crate::path::{MinimumAction, Path, geometric_action, minimum_energy_path, quasi_potential};

/// Most saddles that a path is asked for.
pub const MOST_SADDLES: usize = 8;
/// Distance within which a point is taken for the equilibrium beside it, in units of the size of the domain.
const BESIDE: f64 = 1e-3;

/// How [`least_action`] looks for a path.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastActionSettings<const D: usize> {
    /// End of the path; without it where the noise-free motion from the target's centre comes to rest. An equilibrium within a thousandth of
    /// the domain is meant itself.
    pub to: Option<Point<D>>,
    /// Pieces of the coarsest of three paths, at least 8.
    pub pieces: usize,
    /// Initial paths are bent by this part of the distance to either side.
    pub bend: f64,
}

impl<const D: usize> Default for LeastActionSettings<D> {
    fn default() -> Self {
        Self {
            to: None,
            pieces: 64,
            bend: 0.3,
        }
    }
}

impl<const D: usize> LeastActionSettings<D> {
    /// Checks the settings for a problem.
    ///
    /// # Errors
    /// [`Error::Config`] about `points` or `to`, [`Error::InvalidParameter`] about `bend`, [`Error::Inconsistent`] for a start without a centre.
    pub fn check(&self, problem: &Problem<D>) -> Result<()> {
        if self.pieces < 8 {
            let message = format!("{} is not allowed: at least 8 are needed", self.pieces);
            return Err(Error::config("points", message));
        }
        require_positive("bend", self.bend)?;
        problem.require_no_jump("a path of least action")?;
        if problem.start().centre().is_none() {
            return Err(Error::Inconsistent {
                subject: "start of a path".into(),
                requirement: "it needs a centre: a ball, an ellipse, a box or a basin".into(),
            });
        }
        self.end(problem).map(|_| ())
    }

    /// The end asked for, or the centre of the target, and whether it is the latter.
    fn end(&self, problem: &Problem<D>) -> Result<(Point<D>, bool)> {
        let Some(to) = self.to else {
            let centre = problem.target().and_then(|target| target.centre());
            let message = "this key is required unless the target is a ball, an ellipse, a box or a basin";
            return centre
                .map(|centre| (centre, true))
                .ok_or_else(|| Error::config("to", message));
        };
        if !problem.in_domain(&to) {
            return Err(Error::config("to", "the point lies outside the domain"));
        }
        Ok((to, false))
    }
}

/// A path of least action; see [`least_action`].
#[derive(Debug, Clone, PartialEq)]
pub struct LeastAction<const D: usize> {
    /// The path.
    pub path: Path<D>,
    /// Saddles on it, in order, at most [`MOST_SADDLES`].
    pub saddles: Vec<Equilibrium<D>>,
    /// The path of least action to the first saddle, or to the end of a path without one; or why its action is not known.
    pub instanton: Result<MinimumAction<D>>,
    /// All paths of locally least action that were found to the same end, lowest first, coarse, some of them several times.
    pub local_minimisers: Vec<Path<D>>,
    /// T when b = −∇L and D = T·I all over the domain.
    pub temperature: Option<f64>,
}

impl<const D: usize> LeastAction<D> {
    /// The saddle that limits the passage: the highest one of a loss, the first one of another drift.
    pub fn limiting_saddle(&self, problem: &Problem<D>) -> Option<&Equilibrium<D>> {
        let loss = |saddle: &Equilibrium<D>| problem.landscape().map_or(0.0, |l| l.loss(&saddle.position));
        let saddles = self.saddles.iter();
        saddles.reduce(|a, b| if loss(b) > loss(a) { b } else { a })
    }

    /// Geometric action of the path up to each of its points; flat where the drift carries along it.
    ///
    /// # Errors
    /// Those of [`geometric_action`].
    pub fn action_along(&self, problem: &Problem<D>) -> Result<Vec<f64>> {
        let (diffusion, mut sum, mut action) = (problem.ito(), 0.0, vec![0.0]);
        for pair in self.path.points().windows(2) {
            sum += geometric_action(&diffusion, &Path::new(pair.to_vec())?)?;
            action.push(sum);
        }
        Ok(action)
    }
}

fn unreachable(target: &str, reason: impl Into<String>) -> Error {
    Error::Unreachable {
        target: target.into(),
        reason: reason.into(),
    }
}

/// The path of least action from the attractor of the start to the end asked for.
///
/// # Method
/// [`quasi_potential`] of the Ito equation from attractor to end; with b = −∇L and D = T·I between two minima the path of least action is the
/// minimum energy path, of which the string method takes more wells on the way. Points on it at which the drift is smallest start Newton's
/// search for saddles; the way to the first saddle is minimised by itself.
///
/// # Errors
/// Those of [`LeastActionSettings::check`]; whatever keeps a path from being found, first of all a kink on the way.
pub fn least_action<const D: usize>(
    problem: &Problem<D>,
    settings: &LeastActionSettings<D>,
) -> Result<LeastAction<D>> {
    settings.check(problem)?;
    let diffusion = problem.ito();
    let size = problem.domain().size();
    let at_rest = |from: Point<D>| {
        let end = noise_free_limit(problem.diffusion(), from, size, &[]);
        let rest = end.and_then(|end| Equilibrium::near(&diffusion, end, size, 0.1 * size));
        let reason = "the noise-free motion does not come to rest at a smooth attractor";
        rest.filter(|rest| rest.growing_directions == 0)
            .map(|rest| rest.position)
            .ok_or_else(|| unreachable("attractor", reason))
    };
    let no_centre = || unreachable("attractor", "the start has no centre");
    let start = at_rest(problem.start().centre().ok_or_else(no_centre)?)?;
    let (end, is_attractor) = match settings.end(problem)? {
        (centre, true) => (at_rest(centre)?, true),
        // a rounded coordinate of a saddle or a minimum means the point itself
        (to, false) => match Equilibrium::near(&diffusion, to, size, BESIDE * size) {
            Some(rest) => (rest.position, rest.growing_directions == 0),
            None => (to, false),
        },
    };
    if (end - start).norm() <= BESIDE * size {
        return Err(unreachable("end of the path", "it is the attractor of the start"));
    }
    let least = |end| quasi_potential(&diffusion, start, end, settings.bend, settings.pieces);
    let temperature = temperature(problem, &start)?;
    let (path, whole) = match (problem.landscape(), temperature) {
        (Some(landscape), Some(_)) if is_attractor => {
            (energy_path(&landscape, &diffusion, start, end, settings)?, None)
        }
        _ => {
            let whole = least(end)?;
            (whole.minimum.path.clone(), Some(whole))
        }
    };
    if let Some(out) = path.points().iter().find(|theta| !problem.in_domain(theta)) {
        let reason = format!(
            "the path of least action leaves the domain at {:?}",
            out.as_slice()
        );
        return Err(unreachable("end of the path", reason));
    }
    let saddles = saddles(&diffusion, &path, size);
    let found = match (saddles.first(), whole) {
        (Some(first), _) if first.position != end => least(first.position),
        (_, Some(whole)) => Ok(whole),
        (_, None) => least(end),
    };
    let (instanton, local_minimisers) = match found {
        Ok(found) => (Ok(found.minimum), found.minimisers),
        Err(error) => (Err(error), Vec::new()),
    };
    Ok(LeastAction {
        path,
        saddles,
        instanton,
        local_minimisers,
        temperature,
    })
}

/// T when b = −∇L and D = T·I all over the domain.
fn temperature<const D: usize>(problem: &Problem<D>, start: &Point<D>) -> Result<Option<f64>> {
    const EQUAL: f64 = 1e-12;
    let (diffusion, grid) = (problem.ito(), problem.grid(1)?);
    let temperature = diffusion.tensor(start)[(0, 0)];
    let is_same = |theta: &Point<D>| {
        (diffusion.tensor(theta) - Tensor::<D>::identity() * temperature).amax() <= EQUAL * temperature
    };
    let mut domain = (0..grid.cells())
        .map(|cell| grid.centre(cell))
        .filter(|theta| problem.in_domain(theta));
    let is_isotropic = domain.all(|theta| is_same(&theta));
    Ok((problem.landscape().is_some() && is_isotropic).then_some(temperature))
}

/// The minimum energy path of least action among those that a straight and, in the plane, two bent strings lead to.
fn energy_path<const D: usize>(
    landscape: &impl Landscape<D>,
    diffusion: &impl Diffusion<D>,
    start: Point<D>,
    end: Point<D>,
    settings: &LeastActionSettings<D>,
) -> Result<Path<D>> {
    const TOLERANCE: f64 = 1e-6;
    let pieces = 4 * settings.pieces;
    let crosses = |path: &Path<D>| {
        let apart = |kink: &Kink, a: &Point<D>, b: &Point<D>| {
            (a[kink.axis] - kink.position) * (b[kink.axis] - kink.position) < 0.0
        };
        let pairs = || path.points().windows(2);
        let crossed = diffusion
            .kinks()
            .into_iter()
            .find(|kink| pairs().any(|p| apart(kink, &p[0], &p[1])));
        crossed.map(|kink| {
            let reason = format!(
                "the path crosses the kink at {} on axis {}",
                kink.position, kink.axis
            );
            unreachable("end of the path", reason)
        })
    };
    if let Some(error) = crosses(&Path::straight(start, end, 1)?) {
        return Err(error);
    }
    let mut offsets = vec![Point::<D>::zeros()];
    if D == 2 {
        let normal = Point::<D>::from_fn(|d, _| (end - start)[1 - d] * if d == 0 { -1.0 } else { 1.0 });
        offsets.extend([normal * settings.bend, -normal * settings.bend]);
    }
    let strings = offsets.into_iter().map(|offset| {
        let path = minimum_energy_path(
            landscape,
            &Path::bent(start, end, offset, pieces)?,
            pieces,
            TOLERANCE,
        )?
        .path;
        let action = geometric_action(diffusion, &path)?;
        crosses(&path).map_or(Ok((action, path)), Err)
    });
    let mut lowest: Result<(f64, Path<D>)> = Err(unreachable("end of the path", "no string was tried"));
    for (k, string) in strings.enumerate() {
        let is_lower = match (&string, &lowest) {
            (Ok((action, _)), Ok((least, _))) => action < least,
            (found, Err(_)) => found.is_ok() || k == 0,
            (Err(_), Ok(_)) => false,
        };
        if is_lower {
            lowest = string;
        }
    }
    lowest.map(|(_, path)| path)
}

/// Saddles near the points of the path at which the drift is smallest, and at its end.
fn saddles<const D: usize>(diffusion: &impl Diffusion<D>, path: &Path<D>, size: f64) -> Vec<Equilibrium<D>> {
    let (points, length) = (path.points(), path.length());
    let speeds: Vec<f64> = points.iter().map(|theta| diffusion.drift(theta).norm()).collect();
    let last = points.len() - 1;
    let mut found: Vec<Equilibrium<D>> = Vec::new();
    for i in 1..=last {
        if speeds[i] > speeds[i - 1] || (i < last && speeds[i] >= speeds[i + 1]) {
            continue;
        }
        // a path of finitely many points passes a saddle at a distance below two of its pieces
        let nearby = if i == last {
            BESIDE * size
        } else {
            2.0 * length / last as f64
        };
        let Some(rest) = Equilibrium::near(diffusion, points[i], size, nearby) else {
            continue;
        };
        let known = found
            .iter()
            .any(|f| (f.position - rest.position).norm() <= BESIDE * length);
        if rest.growing_directions == 1 && !known && found.len() < MOST_SADDLES {
            found.push(rest);
        }
    }
    found
}
