//! Rates between cells of phase space that follow the energy: motion with inertia, whose noise is in the velocity alone.
//!
//! ```text
//! dx = v dt      dv = −(γ v + L′) dt + sqrt(2γT) dW      E = L + v²/2
//! ```
//!
//! Cells are columns of x cut at levels of E, for each sign of v. Without friction a path stays between its two levels, so that transport along x never
//! mixes energies, whatever the cells: the flow of e^{−E/T} dx dv through a face at x between two levels is ∫ v e^{−E/T} dv = T(e^{−E_k/T} − e^{−E_{k+1}/T}), of
//! the part above L(x). What a column takes from one side and does not pass on the other turns round in it.

use super::assembly::Generator;
use super::cells::Cells;
use super::discretisation::Discretisation;
use super::face_wise::Faces;
use super::jumps::Jumps;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require, require_positive};
use crate::grid::{Axis, CellSet, Grid};
use crate::landscape::Landscape;
use crate::math::Point;
use crate::math::gauss_legendre::gauss_legendre;
use rayon::prelude::*;

/// The generator of underdamped motion in one variable x with velocity v.
///
/// # Formula
/// dx = v dt, dv = −(γv + L′) dt + sqrt(2γT(x)) dW. With constant T the stationary law is e^{−E/T}, E = L + v²/2; for γ → ∞ in the time t/γ it is
/// dx = −L′ dt + sqrt(2T) dW, the diffusion that was given, where T is constant.
///
/// SGD with momentum β, v' = βv − η∇L + N(0, η²C/B), θ' = θ + v', is a symplectic Euler scheme of step √η for it, with γ = (1 − β)/√η and
/// T = ηC/(2B(1 − β)): the limit of small η at given γ and T. One step is √η of this time.
///
/// # Method
/// Cells between levels of E, see the module. All rates are non-negative; the law e^{−E/T} is exactly stationary where T is constant, whatever the
/// cells. First order in the columns (upwind along the levels), second order in the velocities, whose cells near v = 0 are of the width sqrt(2 δE): errors
/// of order δx + δE, halved where both are. They do not grow as γ falls. Columns must be narrower than the way sqrt(T)/γ in which a velocity is forgotten.
/// Ends of x reflect v to −v, no path is above the highest level.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseSpace {
    generator: Generator<2>,
    levels: Vec<f64>,
    areas: Vec<f64>,
}

/// Points in a column at which cells are measured.
const SAMPLES: usize = 16;

impl PhaseSpace {
    /// Phase space over the cells of `x`, cut at `levels` of the energy, ascending; `diffusion` is −L′ with D = T.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a friction that is not positive, or levels that do not ascend or begin above the lowest loss of the columns;
    /// [`Error::Inconsistent`] for a drift that is no gradient; [`Error::NotPositive`] where T is not; those of [`Generator::assemble_with`] for cells.
    ///
    /// # References
    /// H. Risken, The Fokker-Planck Equation (1989), ch. 10 (Kramers' equation).
    ///
    /// # Examples
    /// ```
    /// use freezeout::diffusion::Sgd;
    /// use freezeout::generator::PhaseSpace;
    /// use freezeout::grid::Axis;
    /// use freezeout::landscape::DoubleWell;
    /// use freezeout::noise::Isotropic;
    /// use freezeout::observables::mean_first_passage_time;
    /// // (x² − 1)²/4 at T = 1/32, eight temperatures below the top
    /// let sgd = Sgd::with_noise_strength(DoubleWell::new(0.25, 1.0)?, Isotropic::new(1.0)?, 1.0 / 32.0)?;
    /// let levels = PhaseSpace::levels([0.0, 0.25, 1.2], 1.0 / 32.0, 60)?;
    /// let space = PhaseSpace::new(&sgd, 0.1, Axis::uniform(-1.75, 1.75, 112)?, levels)?;
    /// let tau = mean_first_passage_time(space.generator(), &space.set("target", |x| x > 1.0)?)?;
    /// let tau = space.at(&sgd, &tau, -1.0, 0.0).unwrap_or(f64::NAN);
    /// // 1.05 of the inverse rate of Mel'nikov and Meshkov, 16478
    /// assert!((tau / 1.7e4 - 1.0).abs() < 0.05, "{tau}");
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn new(diffusion: &impl Diffusion<1>, friction: f64, x: Axis, levels: Vec<f64>) -> Result<Self> {
        require_positive("friction", friction)?;
        let loss = loss_of(diffusion)?;
        let lowest = levels.first().copied().unwrap_or(f64::NAN);
        let ascends = levels.len() > 1 && levels.windows(2).all(|pair| pair[1] > pair[0]);
        let highest = levels.last().copied().unwrap_or(f64::NAN);
        require(
            "levels",
            lowest,
            |_| ascends && highest.is_finite(),
            "at least two ascending energies are needed",
        )?;
        let columns: Vec<Column> = (0..x.cells())
            .into_par_iter()
            .map(|i| {
                Column::new(
                    diffusion,
                    loss,
                    [x.faces()[i], x.faces()[i + 1]],
                    &levels,
                    friction,
                )
            })
            .collect::<Result<_>>()?;
        let deepest = columns.iter().map(|c| c.deepest).fold(f64::INFINITY, f64::min);
        require(
            "levels",
            lowest,
            |e| e <= deepest,
            "the first must not be above the lowest loss of the cells",
        )?;
        let count = levels.len() - 1;
        let speeds: Vec<f64> = levels.iter().map(|e| (2.0 * (e - lowest)).sqrt()).collect();
        let faces = speeds[1..]
            .iter()
            .rev()
            .map(|s| -s)
            .chain(speeds.iter().copied())
            .collect();
        let grid = Grid::new([x, Axis::from_faces(faces)?]);
        let level_of = |s: usize| if s < count { count - 1 - s } else { s - count };
        let open = |i: usize, k: usize| columns[i].mass[k] > 0.0;
        let member = |cell: usize| {
            let [i, s] = grid.indices(cell);
            open(i, level_of(s))
        };
        let open_cells: Vec<bool> = (0..grid.cells()).map(member).collect();
        let discretisation = Discretisation {
            domain: Some(CellSet::of_members("energies between the levels", open_cells)?),
            ..Discretisation::default()
        };
        let cells = Cells::new(grid.clone(), &discretisation)?;
        let of_state = |&cell: &usize| {
            let [i, s] = grid.indices(cell);
            let (k, forward, column) = (level_of(s), s >= count, &columns[i]);
            // through the left and the right face of the column; none where the next column is closed
            let flow = [
                (i > 0 && open(i - 1, k)).then(|| column.flow(0, k, &levels)),
                (i + 1 < columns.len() && open(i + 1, k)).then(|| column.flow(1, k, &levels)),
            ]
            .map(|flow| flow.unwrap_or(0.0));
            let mass = column.mass[k];
            let mut along = [0.0; 2];
            along[usize::from(forward)] = flow[usize::from(forward)] / mass;
            // what comes in on one side and cannot go out on the other turns round
            let turning = (flow[usize::from(!forward)] - flow[usize::from(forward)]).max(0.0);
            let slower = column.between[k] / mass;
            let faster =
                column.between[k + 1] * (-(levels[k + 1] - levels[k]) / column.temperature).exp() / mass;
            let across = if forward {
                [slower, faster]
            } else {
                [faster, slower]
            };
            let faces = Faces {
                to_neighbour: [along, across],
                to_face: [along, across],
            };
            (faces, (turning + column.stopping[k]) / mass)
        };
        let (faces, mirror) = cells.cell_of.par_iter().map(of_state).unzip();
        let area = |cell: usize| {
            let [i, s] = grid.indices(cell);
            columns[i].area[level_of(s)]
        };
        Ok(Self {
            areas: (0..grid.cells()).map(area).collect(),
            generator: Generator::of_jumps(cells, Jumps::Mirrored(faces, mirror), false)?,
            levels,
        })
    }

    /// `count` levels from `lowest` to `highest`, closest together at `barrier`, where their distance is least, and twice as far apart one temperature away.
    ///
    /// # Formula
    /// E = barrier + T sinh(u), u at equal distances.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when they do not ascend.
    pub fn levels([lowest, barrier, highest]: [f64; 3], temperature: f64, count: usize) -> Result<Vec<f64>> {
        require_positive("temperature", temperature)?;
        let ends = [lowest, highest].map(|e| ((e - barrier) / temperature).asinh());
        require(
            "highest level",
            highest,
            |e| e > lowest && e.is_finite(),
            "it must be above the lowest",
        )?;
        let at = |k: usize| {
            let share = k as f64 / count as f64;
            barrier + temperature * (ends[0] + (ends[1] - ends[0]) * share).sinh()
        };
        // both ends without rounding
        Ok((0..=count)
            .map(|k| {
                if k == 0 {
                    lowest
                } else if k == count {
                    highest
                } else {
                    at(k)
                }
            })
            .collect())
    }

    /// The generator; its second axis is the velocity that the energy would give at the lowest level, sqrt(2(E − E_0)), with the sign of v.
    pub fn generator(&self) -> &Generator<2> {
        &self.generator
    }

    /// Cells whose columns have their centre in a set of x.
    ///
    /// # Errors
    /// [`Error::EmptySet`].
    pub fn set(&self, name: &str, contains: impl Fn(f64) -> bool) -> Result<CellSet> {
        CellSet::new(name, self.generator.grid(), |at| contains(at[0]))
    }

    /// ∫∫ dx dv over a cell, zero where the loss is above it.
    pub fn area(&self, cell: usize) -> f64 {
        self.areas[cell]
    }

    /// The cells at both ends of x and those under the highest level: what they hold bounds what the ends cut off.
    pub fn edge(&self) -> impl Iterator<Item = usize> {
        let grid = self.generator.grid();
        let is_outer = move |cell: usize| {
            let indices = grid.indices(cell);
            (0..2).any(|d| indices[d] == 0 || indices[d] + 1 == grid.axes()[d].cells())
        };
        self.generator
            .states()
            .iter()
            .copied()
            .filter(move |&cell| is_outer(cell))
    }

    /// Value at (x, v) of a function of the cells: linear between columns, constant between levels, the mean of both signs at v = 0; none above the
    /// highest level or outside of the columns.
    pub fn at(&self, diffusion: &impl Diffusion<1>, values: &[f64], x: f64, v: f64) -> Option<f64> {
        let grid = self.generator.grid();
        let [columns, speeds] = grid.axes();
        let count = self.levels.len() - 1;
        let energy = diffusion.landscape()?.loss(&Point::<1>::new(x)) + 0.5 * v * v;
        if !(x >= columns.lower() && x <= columns.upper() && energy < *self.levels.last()?) {
            return None;
        }
        let level = self.levels.partition_point(|e| *e <= energy).saturating_sub(1);
        let states = self.generator.states();
        let in_column = |i: usize| -> Option<f64> {
            // a column that is closed at this energy opens further up
            let of_sign = |forward: bool| {
                (level..count).find_map(|k| {
                    let s = if forward { count + k } else { count - 1 - k };
                    let cell = i * speeds.cells() + s;
                    states.binary_search(&cell).ok().map(|_| values[cell])
                })
            };
            match v.partial_cmp(&0.0)? {
                std::cmp::Ordering::Greater => of_sign(true),
                std::cmp::Ordering::Less => of_sign(false),
                std::cmp::Ordering::Equal => Some(0.5 * (of_sign(true)? + of_sign(false)?)),
            }
        };
        let right = columns
            .centres()
            .partition_point(|c| *c < x)
            .clamp(1, columns.cells().max(2) - 1);
        let (a, b) = (columns.centre(right - 1), columns.centre(right));
        let share = ((x - a) / (b - a)).clamp(0.0, 1.0);
        match (in_column(right - 1), in_column(right)) {
            (Some(left), Some(right)) => Some(left * (1.0 - share) + right * share),
            (one, other) => one.or(other),
        }
    }
}

fn loss_of(diffusion: &impl Diffusion<1>) -> Result<&dyn Landscape<1>> {
    diffusion.landscape().ok_or_else(|| Error::Inconsistent {
        subject: "drift".into(),
        requirement: "energies need a loss: the drift must be a gradient".into(),
    })
}

/// The cells over one cell of x, of one sign of the velocity. Weights of level k are in units of e^{−E_k/T}.
struct Column {
    temperature: f64,
    /// Loss at both faces, and the least anywhere.
    ends: [f64; 2],
    deepest: f64,
    /// ∫∫ e^{−(E − E_k)/T} dx dv.
    mass: Vec<f64>,
    /// ∫∫ dx dv.
    area: Vec<f64>,
    /// Exchange through the level below k, γT ∫ e^{−(E − E_k)/T} dx over the distance of the velocities.
    between: Vec<f64>,
    /// The same through v = 0, to the other sign.
    stopping: Vec<f64>,
}

impl Column {
    fn new(
        diffusion: &impl Diffusion<1>,
        loss: &dyn Landscape<1>,
        [left, right]: [f64; 2],
        levels: &[f64],
        friction: f64,
    ) -> Result<Self> {
        /// Nodes between two velocities, over which the weight changes by less than e^{−(E_{k+1} − E_k)/T}.
        const ORDER: usize = 6;
        let (nodes, weights) = gauss_legendre(ORDER);
        let count = levels.len() - 1;
        let temperature = diffusion.tensor(&Point::<1>::new(0.5 * (left + right)))[0];
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(Error::NotPositive {
                name: "temperature".into(),
                position: format!("{:?}", 0.5 * (left + right)),
                eigenvalues: format!("{temperature}"),
            });
        }
        let at = |x: f64| loss.loss(&Point::<1>::new(x));
        let ends = [at(left), at(right)];
        let mut this = Self {
            temperature,
            ends,
            deepest: ends[0].min(ends[1]),
            mass: vec![0.0; count],
            area: vec![0.0; count],
            between: vec![0.0; count + 1],
            stopping: vec![0.0; count],
        };
        let width = (right - left) / SAMPLES as f64;
        for sample in 0..SAMPLES {
            let floor = at(left + width * (sample as f64 + 0.5));
            if !floor.is_finite() {
                return Err(Error::NotFinite {
                    quantity: "loss".into(),
                    reason: format!("near {left}"),
                });
            }
            this.deepest = this.deepest.min(floor);
            let speed = |energy: f64| (2.0 * (energy - floor)).max(0.0).sqrt();
            // root mean square of the ends: the speed at the mean energy
            let middle = |k: usize| (0.5 * (speed(levels[k]).powi(2) + speed(levels[k + 1]).powi(2))).sqrt();
            for k in 0..count {
                if levels[k + 1] <= floor {
                    continue;
                }
                let (from, to) = (speed(levels[k]), speed(levels[k + 1]));
                let mean: f64 = (nodes.iter().zip(&weights))
                    .map(|(node, weight)| {
                        let v = 0.5 * (from + to) + 0.5 * (to - from) * node;
                        0.5 * weight * (-(floor + 0.5 * v * v - levels[k]) / temperature).exp()
                    })
                    .sum();
                this.area[k] += width * (to - from);
                this.mass[k] += width * (to - from) * mean;
                let exchange = friction * temperature * width;
                if levels[k] > floor {
                    if k > 0 {
                        this.between[k] += exchange / (middle(k) - middle(k - 1));
                    }
                } else {
                    this.stopping[k] +=
                        exchange * (-(floor - levels[k]) / temperature).exp() / (2.0 * middle(k));
                }
            }
        }
        Ok(this)
    }

    /// Flow through a face within level k of one sign, in units of e^{−E_k/T}.
    fn flow(&self, side: usize, k: usize, levels: &[f64]) -> f64 {
        let weight = |energy: f64| (-(energy - levels[k]) / self.temperature).exp();
        let floor = levels[k].max(self.ends[side]);
        if floor >= levels[k + 1] {
            0.0
        } else {
            self.temperature * (weight(floor) - weight(levels[k + 1]))
        }
    }
}
