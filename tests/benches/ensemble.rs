//! Nanoseconds per step of the ensembles on one core: the inverse of the throughput that criterion prints.
//!
//! `Native` is the widest instruction set of the processor, `Avx2` the same code with 256-bit vectors, and
//! `Baseline` without run-time dispatch. The results are the same bytes.

#![allow(missing_docs, clippy::unwrap_used)]
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use freezeout::diffusion::{Diffusion, Sgd};
use freezeout::ensemble::*;
use freezeout::landscape::{Expression, Slice, TwoValley};
use freezeout::math::{Formula, Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::region::{Domain, PointSet};
use std::collections::BTreeMap;
use std::hint::black_box;

const RUNS: usize = 4 * stream::LANES;
const STEPS: u64 = 4 * stream::STEP_BLOCK;

/// Runs `work` on the given number of threads under each instruction set of `sets`.
fn measure<T: Send>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    threads: usize,
    sets: &[Instructions],
    work: impl Fn(Instructions) -> T + Sync,
) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    for &instructions in sets {
        group.bench_function(format!("{name}/{instructions:?}"), |bencher| {
            bencher.iter(|| pool.install(|| black_box(work(instructions))));
        });
    }
}

/// All steps of one cell with the given power of the Hessian.
fn valley_steps(power: f64, instructions: Instructions) -> Vec<ValleyEnsemble> {
    let sgd = Sgd::hessian_power(TwoValley::default(), power, 0.05, 0.02, 1e-8).unwrap();
    let protocol = Protocol {
        starts: vec![[-0.01, 5.0], [0.01, 5.0]],
        runs: RUNS,
        steps: STEPS,
        record_every: None,
        seed: 1,
        experiment: 1,
    };
    let walk = TwoValleyWalk::discrete(&sgd).unwrap();
    simulate_with(instructions, &[Cell { walk, protocol }], &|_| ()).unwrap()
}

/// A planar double well with state-dependent isotropic diffusivity.
#[derive(Clone, Copy)]
struct Plane;

impl Ito<2, 2> for Plane {
    #[inline(always)]
    fn drift(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [x - x * x * x, -y]
    }
    #[inline(always)]
    fn noise(&self, [x, y]: [f64; 2]) -> [[f64; 2]; 2] {
        let amplitude = (0.1 + 0.05 * (x * x + y * y)).sqrt();
        [[amplitude, 0.0], [0.0, amplitude]]
    }
}

fn paths<const D: usize>(start: [f64; D]) -> PathProtocol<D> {
    PathProtocol {
        starts: vec![start],
        runs: RUNS,
        steps: STEPS,
        time_step: 0.01,
        seed: 1,
        experiment: 1,
    }
}

/// A user's problem in the plane: formulas for the drift and for all entries of the tensor.
struct Formulas {
    drift: [Formula<2>; 2],
    tensor: [Formula<2>; 3],
}

impl Formulas {
    fn new(drift: [&str; 2], tensor: [&str; 3]) -> Self {
        let parse = |text: &str| Formula::parse(text, &["x", "y"], &BTreeMap::new()).unwrap();
        Self {
            drift: drift.map(parse),
            tensor: tensor.map(parse),
        }
    }
}

impl Diffusion<2> for Formulas {
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        Point::<2>::from_fn(|d, _| self.drift[d].value(theta))
    }
    fn tensor(&self, theta: &Point<2>) -> Tensor<2> {
        let [xx, xy, yy] = self.tensor.each_ref().map(|entry| entry.value(theta));
        Tensor::<2>::new(xx, xy, xy, yy)
    }
}

/// First passage of a general diffusion into a half-space that is never reached: steps are all that is measured.
fn general<const D: usize>(diffusion: &impl Diffusion<D>, protocol: &PathProtocol<D>) -> Passages {
    let along_first = Point::<D>::from_fn(|d, _| if d == 0 { 1.0 } else { 0.0 });
    let target = PointSet::half_space(along_first, 1e9).unwrap();
    let domain = Domain::unbounded();
    let crossing = CrossingTest::BrownianBridge;
    first_passage_into(diffusion, &domain, Some(&target), crossing, protocol, &|_| ()).unwrap()
}

fn ensembles(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ensemble");
    group.throughput(Throughput::Elements(RUNS as u64 * STEPS));
    for power in [1.0, 2.0, 1.5] {
        let name = format!("sgd_two_valley_p{power}");
        measure(&mut group, &name, 1, &Instructions::ALL, |set| {
            valley_steps(power, set)
        });
    }
    let native = [Instructions::Native];
    measure(&mut group, "sgd_two_valley_p1_two_threads", 2, &native, |set| {
        valley_steps(1.0, set)
    });
    let well = DoubleWellWalk::new(0.25, 1.0, 0.2).unwrap();
    let slice = Slice::new(TwoValley::default(), 3.0).unwrap();
    let slice = PiecewiseLinear::new(&Sgd::hessian_power(slice, 1.0, 0.04, 0.025, 0.0).unwrap()).unwrap();
    let (line, plane) = (paths([-1.0]), paths([-1.0, 0.0]));
    let all = Instructions::ALL;
    measure(&mut group, "double_well_euler_maruyama", 1, &all, |set| {
        propagate_with(set, EulerMaruyama, &well, &line, &|_| ())
    });
    measure(&mut group, "double_well_platen", 1, &all, |set| {
        propagate_with(set, Platen, &well, &line, &|_| ())
    });
    measure(&mut group, "slice_euler_maruyama", 1, &all, |set| {
        propagate_with(set, EulerMaruyama, &slice, &line, &|_| ())
    });
    measure(&mut group, "plane_euler_maruyama", 1, &all, |set| {
        propagate_with(set, EulerMaruyama, &Plane, &plane, &|_| ())
    });
    measure(&mut group, "plane_platen", 1, &all, |set| {
        propagate_with(set, Platen, &Plane, &plane, &|_| ())
    });
    let text = |text: &str| Expression::<1>::new(text, &["x"], &BTreeMap::new(), vec![]).unwrap();
    let formula = Sgd::new(text("(x^2 - 1)^2/4"), Isotropic::new(0.4).unwrap(), 1.0, 1.0).unwrap();
    measure(&mut group, "general_formula_line", 1, &native, |_| {
        general(&formula, &line)
    });
    let names = ["x", "y"];
    let landscape = Expression::<2>::new("(x^2 - 1)^2/4 + y^2/2", &names, &BTreeMap::new(), vec![]).unwrap();
    let formula = Sgd::new(landscape, Isotropic::new(0.4).unwrap(), 1.0, 1.0).unwrap();
    measure(&mut group, "general_formula_plane", 1, &native, |_| {
        general(&formula, &plane)
    });
    let full = Formulas::new(
        ["x - x^3 - 10*x*y^2", "-(1 + x^2)*y"],
        ["0.1 + 0.02*x^2", "0.01*x*y", "0.1 + 0.02*y^2"],
    );
    measure(&mut group, "general_formulas_full_tensor", 1, &native, |_| {
        general(&full, &plane)
    });
    // The interval is so wide that no path leaves it: steps are all that is measured.
    measure(&mut group, "double_well_first_passage", 1, &all, |set| {
        first_passage_with(
            set,
            &well,
            [-9.0, 9.0],
            CrossingTest::BrownianBridge,
            &line,
            &|_| (),
        )
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = ensembles
}
criterion_main!(benches);
