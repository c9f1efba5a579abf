//! A slow-fast problem: a fast coordinate x on sections of fixed slow position s, which moves on along training.

use crate::diffusion::Diffusion;
use crate::error::{Result, require};
use crate::landscape::Kink;
use crate::math::{LANES, Lanes, Point, PointBlock, Tensor};

/// ds/dt at the slow position s.
pub type SlowVelocity = Box<dyn Fn(f64) -> f64 + Send + Sync>;

/// A diffusion of two variables, the fast one x first and the slow one s second unless [`SlowFast::slow_first`], asked along a range of s.
///
/// # Formula
/// On the section at s: dx = b_x(x, s) dt + sqrt(2 f D_xx(x, s)) dW with a factor f on the noise, which a schedule may change. s moves at the
/// speed b_s of the valleys, weighted by the section's stationary law, or at a speed that is given. That of a valley is b_s at its bottom, or, see
/// [`SlowFast::averaged`], the mean of b_s over the law within it.
///
/// # Limitations
/// s is one number for all runs: its own noise D_ss, the correlation D_xs, and valleys that lead on at different speeds are left out.
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Diffusion, Sgd};
/// use freezeout::freezing::SlowFast;
/// use freezeout::landscape::TwoValley;
/// use freezeout::math::Point;
/// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 1.0, 1e-3, 0.0)?; // Δ = 1e-3
/// let problem = SlowFast::new(sgd, [-1.2, 1.4], [1.0, 20.0], None)?;
/// let section = problem.section(5.0, 0.5); // half the noise
/// assert!((section.tensor(&Point::<1>::new(0.1))[0] - 0.5e-3 * 6.125).abs() < 1e-5);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub struct SlowFast<T> {
    diffusion: T,
    /// Axis of the slow variable.
    slow: usize,
    bounds: [f64; 2],
    range: [f64; 2],
    velocity: Option<SlowVelocity>,
    /// Whether valleys move on with the mean of b_s over their law.
    averaged: bool,
}

impl<T: Diffusion<2>> SlowFast<T> {
    /// `diffusion` with x within `bounds`, whose ends reflect, and s from the first to the second of `range`; ds/dt as given, or that of the valleys.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for bounds or a range that do not ascend.
    pub fn new(
        diffusion: T,
        bounds: [f64; 2],
        range: [f64; 2],
        velocity: Option<SlowVelocity>,
    ) -> Result<Self> {
        for (name, pair) in [("bounds of x", bounds), ("range of s", range)] {
            let ascends = |upper: f64| upper > pair[0] && pair[0].is_finite();
            require(name, pair[1], ascends, "two finite ascending ends are needed")?;
        }
        Ok(Self {
            diffusion,
            slow: 1,
            bounds,
            range,
            velocity,
            averaged: false,
        })
    }

    /// The same with valleys that move on at the mean of b_s over their stationary law, which noise changes by a part of its own order, in place of b_s at
    /// their bottoms.
    #[must_use]
    pub fn averaged(self) -> Self {
        Self {
            averaged: true,
            ..self
        }
    }

    /// Whether a valley's speed is the mean over its law.
    pub fn is_averaged(&self) -> bool {
        self.averaged && self.velocity.is_none()
    }

    /// The same with the slow variable first.
    #[must_use]
    pub fn slow_first(self) -> Self {
        Self { slow: 0, ..self }
    }

    /// The point (x, s) in the order of the diffusion's variables.
    pub fn point(&self, x: f64, s: f64) -> Point<2> {
        match self.slow {
            0 => Point::<2>::new(s, x),
            _ => Point::<2>::new(x, s),
        }
    }

    /// x of a point of the diffusion.
    pub fn fast_coordinate(&self, theta: &[f64; 2]) -> f64 {
        theta[1 - self.slow]
    }

    /// Ends of x.
    pub fn bounds(&self) -> [f64; 2] {
        self.bounds
    }

    /// First and last s.
    pub fn range(&self) -> [f64; 2] {
        self.range
    }

    /// The fast diffusion at s, its noise multiplied by `factor`.
    pub fn section(&self, s: f64, factor: f64) -> Section<'_, T> {
        Section {
            problem: self,
            s,
            factor,
        }
    }

    /// ds/dt at s, if it is given and not the valleys' own.
    pub fn given_velocity(&self, s: f64) -> Option<f64> {
        self.velocity.as_ref().map(|velocity| velocity(s))
    }

    /// ds/dt of a run at (x, s).
    pub fn velocity(&self, x: f64, s: f64) -> f64 {
        self.given_velocity(s)
            .unwrap_or_else(|| self.diffusion.drift(&self.point(x, s))[self.slow])
    }

    /// The process itself under a factor on the noise: the diffusion as it is, or with a given velocity of s and no noise of s.
    pub fn process(&self, factor: f64) -> Process<'_, T> {
        Process {
            problem: self,
            factor,
        }
    }
}

/// The fast coordinate at a slow position; see [`SlowFast::section`].
pub struct Section<'a, T> {
    problem: &'a SlowFast<T>,
    s: f64,
    factor: f64,
}

impl<T: Diffusion<2>> Section<'_, T> {
    fn points(&self, points: &PointBlock<1>) -> PointBlock<2> {
        let mut block = PointBlock::idle();
        for lane in points.lanes() {
            block.set(lane, &self.problem.point(points.coordinates()[0][lane], self.s));
        }
        block
    }
}

impl<T: Diffusion<2>> Diffusion<1> for Section<'_, T> {
    fn drift(&self, x: &Point<1>) -> Point<1> {
        let SlowFast { diffusion, slow, .. } = self.problem;
        Point::<1>::new(diffusion.drift(&self.problem.point(x[0], self.s))[1 - slow])
    }
    fn tensor(&self, x: &Point<1>) -> Tensor<1> {
        let SlowFast { diffusion, slow, .. } = self.problem;
        let tensor = diffusion.tensor(&self.problem.point(x[0], self.s));
        Tensor::<1>::new(self.factor * tensor[(1 - slow, 1 - slow)])
    }
    fn drift_block(&self, points: &PointBlock<1>, drift: &mut [Lanes; 1]) {
        let SlowFast { diffusion, slow, .. } = self.problem;
        let mut all = [[0.0; LANES]; 2];
        diffusion.drift_block(&self.points(points), &mut all);
        drift[0] = all[1 - slow];
    }
    fn tensor_block(&self, points: &PointBlock<1>, tensor: &mut [[Lanes; 1]; 1]) {
        let SlowFast { diffusion, slow, .. } = self.problem;
        let mut all = [[[0.0; LANES]; 2]; 2];
        diffusion.tensor_block(&self.points(points), &mut all);
        tensor[0][0] = all[1 - slow][1 - slow].map(|d| self.factor * d);
    }
    fn kinks(&self) -> Vec<Kink> {
        let kinks = self.problem.diffusion.kinks().into_iter();
        let across = kinks.filter(|kink| kink.axis != self.problem.slow);
        across.map(|kink| Kink { axis: 0, ..kink }).collect()
    }
}

/// Fast and slow coordinate together; see [`SlowFast::process`].
pub struct Process<'a, T> {
    problem: &'a SlowFast<T>,
    factor: f64,
}

impl<T: Diffusion<2>> Diffusion<2> for Process<'_, T> {
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        let mut drift = self.problem.diffusion.drift(theta);
        let slow = self.problem.slow;
        if let Some(velocity) = self.problem.given_velocity(theta[slow]) {
            drift[slow] = velocity;
        }
        drift
    }
    fn tensor(&self, theta: &Point<2>) -> Tensor<2> {
        let mut tensor = self.problem.diffusion.tensor(theta) * self.factor;
        if self.problem.velocity.is_some() {
            let slow = self.problem.slow;
            tensor.row_mut(slow).fill(0.0);
            tensor.column_mut(slow).fill(0.0);
        }
        tensor
    }
    fn drift_block(&self, points: &PointBlock<2>, drift: &mut [Lanes; 2]) {
        self.problem.diffusion.drift_block(points, drift);
        let slow = self.problem.slow;
        for lane in points.lanes() {
            if let Some(velocity) = self.problem.given_velocity(points.coordinates()[slow][lane]) {
                drift[slow][lane] = velocity;
            }
        }
    }
    fn tensor_block(&self, points: &PointBlock<2>, tensor: &mut [[Lanes; 2]; 2]) {
        self.problem.diffusion.tensor_block(points, tensor);
        for (i, row) in tensor.iter_mut().enumerate() {
            for (j, entry) in row.iter_mut().enumerate() {
                let is_across = i != self.problem.slow && j != self.problem.slow;
                let factor = if is_across || self.problem.velocity.is_none() {
                    self.factor
                } else {
                    0.0
                };
                entry.iter_mut().for_each(|value| *value *= factor);
            }
        }
    }
    fn kinks(&self) -> Vec<Kink> {
        self.problem.diffusion.kinks()
    }
}
