//! The law of x along the slow path, forward in time.

use super::crossing::Crossing;
use super::gaussian::Gaussian;
use super::kernel::{Kernel, dot};
use super::path_law::PathLaw;
use super::schedule::{Block, Stage, kernel_span};
use super::slow_motion::{PathSettings, SlowMotion, SplitMap, Start};
use crate::diffusion::Sgd;
use crate::error::{Error, Result};
use crate::landscape::TwoValley;
use crate::noise::GradientNoise;

/// Law of x under the SGD map of the two-valley landscape while y moves along its mean path.
///
/// # Formula
/// p_{k+1}(x') = ∫ p_k(x) N(x'; x − η ∂_x L(x, y_k), η² C_xx(x, y_k)/B) dx with y_k by [`SlowMotion`]; with [`PathSettings::rms_reference`] steps
/// along x are g = sqrt(C₀/C_xx) times as long. Last sign change, by
/// u_k(x) = Pr(no sign change after k | x_k = x): u_k = T*_same side u_{k+1}, u_K = 1, and
/// Pr(last change in step k) = ∫ p_k T*_other side u_{k+1}.
///
/// # Method
/// Nyström in x ([`Resolution`](super::Resolution)), on a grid that follows the valleys; a change of grid is one step of the map from the
/// old nodes to the new, so nothing is interpolated. The kernel is taken at the middle of an interval of y and kept
/// while y crosses it: second order in [`PathSettings::refresh`]. The fluctuations of y and their correlation
/// with x are neglected. Memory: a few numbers a step and the law near the ridge.
///
/// # Errors
/// [`Error::InvalidParameter`] for settings out of range, [`Error::Unstable`] where ηH ≥ 2 in a valley,
/// [`Error::DomainTooSmall`] when the defect of a step exceeds what is allowed.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::landscape::TwoValley;
/// use freezeout::transfer::{PathSettings, propagate};
/// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 0.1, 0.1, 0.0)?;
/// let law = propagate(&sgd, &PathSettings { steps: 200, ..PathSettings::default() })?;
/// assert!((law.p_flat[0] - 0.5).abs() < 1e-15);
/// assert!(law.final_p_flat() > 0.6);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn propagate<N: GradientNoise<2>>(sgd: &Sgd<TwoValley, N>, settings: &PathSettings) -> Result<PathLaw> {
    settings.validate()?;
    let mut propagation = Propagation::new(sgd, settings)?;
    propagation.forward()?;
    propagation.backward()?;
    Ok(propagation.law)
}

/// Longest block in units of refresh times the steps done.
const GRADING: f64 = 4.0;
/// Mass of a node that a new grid must hold: a Gaussian's lies within 7.3 standard deviations, those of the valleys reach 8.
const HELD: f64 = 1e-13;
/// Relative slack on the end of a block, against rounding.
const SLACK: f64 = 0.01;

/// State of one propagation: what was built on the way forward serves the way back.
struct Propagation<'a, N> {
    map: SplitMap<'a, N>,
    settings: &'a PathSettings,
    points: Vec<f64>,
    stages: Vec<Stage>,
    blocks: Vec<Block>,
    /// For each step, the masses from which it can cross the ridge.
    near_ridge: Vec<f64>,
    kernel: Kernel,
    law: PathLaw,
}

impl<'a, N: GradientNoise<2>> Propagation<'a, N> {
    fn new(sgd: &'a Sgd<TwoValley, N>, settings: &'a PathSettings) -> Result<Self> {
        let starts = &settings.starts;
        Ok(Self {
            map: SplitMap::new(sgd, settings.rms_reference)?,
            settings,
            points: starts.iter().map(|s| s.x).collect(),
            stages: Vec::new(),
            blocks: Vec::new(),
            near_ridge: Vec::new(),
            kernel: Kernel::default(),
            law: PathLaw {
                y: vec![settings.start_y],
                p_flat: vec![starts.iter().filter(|s| s.x >= 0.0).map(|s| s.weight).sum()],
                mean_x: vec![starts.iter().map(|s| s.x * s.weight).sum()],
                sign_changes: Vec::with_capacity(settings.steps),
                last_sign_change: Vec::new(),
                no_sign_change: f64::NAN,
                last: Vec::new(),
                defect: 0.0,
                mass_error: 0.0,
                kernels: 0,
                grids: 0,
                nodes: 0,
            },
        })
    }

    /// Nodes from which a block steps.
    fn sources(&self, source: Option<usize>) -> &[f64] {
        source.map_or(&self.points, |stage| self.stages[stage].grid.nodes())
    }

    /// Number of sources below the ridge, and of targets.
    fn splits(&self, block: &Block) -> [usize; 2] {
        let source = match block.source {
            Some(stage) => self.stages[stage].split,
            None => self.points.iter().filter(|&&x| x < 0.0).count(),
        };
        [source, self.stages[block.target].split]
    }

    fn gaussians(&self, source: Option<usize>, y: f64) -> Result<Vec<Gaussian>> {
        self.sources(source)
            .iter()
            .map(|&x| self.map.step(x, y))
            .collect()
    }

    /// Builds the kernel of a block.
    fn assemble(&mut self, block: &Block) -> Result<()> {
        let gaussians = self.gaussians(block.source, block.y)?;
        let order = block.source.map_or(1, |_| self.settings.resolution.order);
        let target = &self.stages[block.target].grid;
        self.kernel
            .assemble(order, &gaussians, target, self.settings.resolution.reach);
        Ok(())
    }

    /// ∂L/∂y and its slope in y at the sources of a block.
    fn slow_gradients(&self, source: Option<usize>, y: f64) -> [Vec<f64>; 2] {
        let gradients = self.sources(source).iter().map(|&x| self.map.slow_gradient(x, y));
        let (value, slope): (Vec<f64>, Vec<f64>) = gradients.map(|[v, s]| (v, s)).unzip();
        [value, slope]
    }

    /// dy/dt under the law `mass`.
    fn velocity(&self, block: &Block, gradients: &[Vec<f64>; 2], mass: &[f64], y: f64) -> f64 {
        self.settings.ramp
            * match self.settings.motion {
                SlowMotion::Mean => -(dot(&gradients[0], mass) + (y - block.y) * dot(&gradients[1], mass)),
                SlowMotion::Floor => self.map.floor_velocity(y),
                SlowMotion::Fixed => 0.0,
            }
    }

    fn forward(&mut self) -> Result<()> {
        let mut mass: Vec<f64> = self.settings.starts.iter().map(|s| s.weight).collect();
        let mut step = 0;
        while step < self.settings.steps {
            let block = self.plan(step, &mass)?;
            self.assemble(&block)?;
            let steps = self.run(&block, &mut mass)?;
            self.blocks.push(Block { steps, ..block });
            step += steps;
        }
        if let Some(stage) = self.stages.last() {
            let (nodes, total) = (stage.grid.nodes().iter().zip(&mass), mass.iter().sum::<f64>());
            self.law.last = nodes.map(|(&x, &m)| Start { x, weight: m / total }).collect();
        }
        self.law.kernels = self.blocks.len();
        self.law.grids = self.stages.len();
        Ok(())
    }

    /// The next block: onto a new grid where the present one no longer serves, else on it.
    fn plan(&mut self, first_step: usize, mass: &[f64]) -> Result<Block> {
        let y = self.law.y[first_step];
        let source = self.stages.len().checked_sub(1);
        let mut block = Block {
            source,
            target: source.unwrap_or(0),
            y,
            half_width: 0.0,
            first_step,
            steps: 1,
        };
        let gradients = self.slow_gradients(source, y);
        let velocity = self.velocity(&block, &gradients, mass, y);
        let direction = if velocity < 0.0 { -1.0 } else { 1.0 };
        if source.is_some_and(|stage| self.stages[stage].holds(y)) {
            // The law relaxes from its start on ever longer times: a block must be short against the past.
            block.steps = (1 + (GRADING * self.settings.refresh * first_step as f64) as usize)
                .min(self.settings.steps - first_step);
            let reached = 0.5 * velocity.abs() * self.map.learning_rate() * (block.steps - 1) as f64;
            block.half_width =
                reached.min(0.5 * kernel_span(&self.map, y, direction, self.settings.refresh)?);
            block.y = y + direction * block.half_width;
            return Ok(block);
        }
        let reach = self.settings.resolution.reach;
        let outer = |[low, high]: [f64; 2], [a, b]: [f64; 2]| [low.min(a), high.max(b)];
        let none = [f64::INFINITY, f64::NEG_INFINITY];
        let held = match source {
            None => (self.gaussians(None, y)?.iter())
                .map(|g| [-1.0, 1.0].map(|side| g.mean + side * reach * g.standard_deviation))
                .fold(none, outer),
            // a law that stronger noise has left wider than its valleys are
            Some(_) => (self.sources(source).iter().zip(mass))
                .filter(|(_, mass)| **mass > HELD)
                .map(|(x, _)| [*x; 2])
                .fold(none, outer),
        };
        let stage = Stage::new(&self.map, y, direction, held, self.settings.resolution)?;
        self.law.nodes = self.law.nodes.max(stage.grid.nodes().len());
        block.target = self.stages.len();
        self.stages.push(stage);
        Ok(block)
    }

    /// Runs the steps of a block until y leaves its interval or the steps are done; returns their number.
    fn run(&mut self, block: &Block, mass: &mut Vec<f64>) -> Result<usize> {
        let [source_split, target_split] = self.splits(block);
        let crossing = Crossing::new(&self.kernel, source_split, target_split);
        let gradients = self.slow_gradients(block.source, block.y);
        let eta = self.map.learning_rate();
        let mut next = vec![0.0; self.kernel.targets()];
        let mut y = self.law.y[block.first_step];
        let mut defect: f64 = 0.0;
        let mut steps = 0;
        while steps < block.steps {
            defect = defect.max(self.kernel.defect(mass));
            let near = &mass[crossing.window.clone()];
            self.near_ridge.extend_from_slice(near);
            self.law.sign_changes.push(dot(near, &crossing.probability));
            y += eta * self.velocity(block, &gradients, mass, y);
            self.kernel.apply(mass, &mut next);
            mass.resize(next.len(), 0.0);
            std::mem::swap(mass, &mut next);
            steps += 1;
            self.law.y.push(y);
            let flat: f64 = mass[target_split..].iter().sum();
            let total = flat + mass[..target_split].iter().sum::<f64>();
            self.law.mass_error = self.law.mass_error.max((total - 1.0).abs());
            self.law.p_flat.push(flat);
            self.law
                .mean_x
                .push(dot(self.stages[block.target].grid.nodes(), mass));
            if y.is_nan() || (y - block.y).abs() > block.half_width * (1.0 + SLACK) {
                break;
            }
        }
        self.law.defect = self.law.defect.max(defect);
        if !y.is_finite() {
            return Err(Error::NotFinite {
                quantity: "y on its mean path".into(),
                reason: format!("after step {}", block.first_step + steps),
            });
        }
        let allowed = self.settings.resolution.allowed_defect;
        if defect <= allowed {
            return Ok(steps);
        }
        Err(Error::DomainTooSmall {
            probability: defect,
            allowed,
            where_: format!("in one step near y = {y:.4}: a finer resolution or a longer reach is needed"),
        })
    }

    /// u_k = T*_same side u_{k+1} from u = 1 after the last step, through the blocks in reverse; with the masses
    /// near the ridge kept by the forward pass, Pr(last change in step k) = Σ_i p_k(i) Σ_{j across} T_ji u_{k+1}(j).
    fn backward(&mut self) -> Result<()> {
        let mut last = vec![0.0; self.settings.steps];
        let mut later = vec![1.0; self.stages.last().map_or(0, |s| s.grid.nodes().len())];
        let mut now = Vec::new();
        let mut across = Vec::new();
        let mut stored = self.near_ridge.len();
        for block in std::mem::take(&mut self.blocks).iter().rev() {
            self.assemble(block)?;
            let [source_split, target_split] = self.splits(block);
            let crossing = Crossing::new(&self.kernel, source_split, target_split);
            across.resize(crossing.window.len(), 0.0);
            for step in (block.first_step..block.first_step + block.steps).rev() {
                crossing.expectation(&self.kernel, source_split, target_split, &later, &mut across);
                stored -= across.len();
                last[step] = dot(&self.near_ridge[stored..stored + across.len()], &across);
                now.resize(self.kernel.sources(), 0.0);
                self.kernel
                    .apply_adjoint_same_side(&later, source_split, target_split, &mut now);
                std::mem::swap(&mut now, &mut later);
            }
        }
        self.law.no_sign_change = self
            .settings
            .starts
            .iter()
            .zip(&later)
            .map(|(start, u)| start.weight * u)
            .sum();
        self.law.last_sign_change = last;
        Ok(())
    }
}
