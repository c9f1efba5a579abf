//! Timed simulations of formulas for formula_peers.py: prints JSON.
//!
//! Arguments: problem, runs.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use freezeout::diffusion::{Diffusion, DriftDiffusion, DriftExpression, Sgd};
use freezeout::ensemble::{CrossingTest, Outcome, PathProtocol, first_passage_into};
use freezeout::landscape::{self, Tabulated};
use freezeout::math::{Formula, Point};
use freezeout::noise::{Expression, Isotropic};
use freezeout::region::{Domain, PointSet};
use std::collections::BTreeMap;

/// Processor time of this process so far in seconds, from Linux; nan elsewhere.
fn processor_time() -> f64 {
    let nanoseconds = |task: std::fs::DirEntry| -> Option<f64> {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    match std::fs::read_dir("/proc/self/task") {
        Ok(tasks) => tasks.flatten().filter_map(nanoseconds).sum::<f64>() * 1e-9,
        Err(_) => f64::NAN,
    }
}

/// A problem with its crossing test, its start and its time step; the same numbers stand in formula_peers.py.
struct Problem<const D: usize> {
    diffusion: Box<dyn Diffusion<D>>,
    target: PointSet<D>,
    crossing: CrossingTest,
    start: [f64; D],
    time_step: f64,
}

const BRIDGE: CrossingTest = CrossingTest::BrownianBridge;
const LINE: [&str; 1] = ["x"];
const PLANE: [&str; 2] = ["x", "y"];

fn none() -> BTreeMap<String, f64> {
    BTreeMap::new()
}

fn line(name: &str) -> Option<Problem<1>> {
    let loss = |text: &str| landscape::Expression::<1>::new(text, &LINE, &none(), vec![]).unwrap();
    let isotropic = Isotropic::new(1.0).unwrap();
    let diffusion: Box<dyn Diffusion<1>> = match name {
        "line" => Box::new(Sgd::with_noise_strength(loss("(x^2 - 1)^2/4"), isotropic, 0.2).unwrap()),
        "line, exp and sin" => {
            let text = "x^2/4 + exp(-4*x^2)/2 + sin(3*x)/10";
            Box::new(Sgd::with_noise_strength(loss(text), isotropic, 0.2).unwrap())
        }
        "line, table" => {
            let x: Vec<f64> = (0..=400).map(|k| -4.0 + 0.02 * f64::from(k)).collect();
            let values = x.iter().map(|x| 0.25 * (x * x - 1.0).powi(2)).collect();
            let table = Tabulated::new([x], values).unwrap();
            Box::new(Sgd::with_noise_strength(table, isotropic, 0.2).unwrap())
        }
        _ => return None,
    };
    let top = Formula::parse_condition("x > 0", &LINE, &none()).unwrap();
    Some(Problem {
        diffusion,
        target: PointSet::condition(top),
        crossing: BRIDGE,
        start: [-1.0],
        time_step: 0.01,
    })
}

fn plane(name: &str) -> Option<Problem<2>> {
    let target = PointSet::half_space(Point::<2>::new(1.0, 0.0), 0.0).unwrap();
    let (diffusion, crossing, time_step): (Box<dyn Diffusion<2>>, _, _) = match name {
        "plane, D(x)" => {
            let drift = ["x - x^3 - x*y^2", "-(1 + x^2)*y"];
            let tensor = ["0.2 + 0.02*x^2", "0.01*x*y", "0.2 + 0.02*y^2"];
            let drift = DriftExpression::new(&drift, &PLANE, &none()).unwrap();
            let noise = Expression::new(&tensor, &PLANE, &none()).unwrap();
            (
                Box::new(DriftDiffusion::new(drift, noise, 1.0).unwrap()),
                BRIDGE,
                0.01,
            )
        }
        "plane, SGD" => {
            let text = "(x^2 - 1)^2/4 + (1 + x^2)*y^2/2";
            let loss = landscape::Expression::<2>::new(text, &PLANE, &none(), vec![]).unwrap();
            let noise = Isotropic::new(1.0).unwrap();
            // D = η/2B
            (
                Box::new(Sgd::new(loss, noise, 0.02, 0.05).unwrap()),
                CrossingTest::EndOfStep,
                0.02,
            )
        }
        _ => return None,
    };
    Some(Problem {
        diffusion,
        target,
        crossing,
        start: [-1.0, 0.0],
        time_step,
    })
}

fn run<const D: usize>(problem: &Problem<D>, runs: usize) {
    let protocol = PathProtocol {
        starts: vec![problem.start],
        runs,
        steps: 10_000_000,
        time_step: problem.time_step,
        seed: 1,
        experiment: 1,
    };
    let (domain, target) = (Domain::unbounded(), Some(&problem.target));
    let pass = |protocol: &PathProtocol<D>| {
        let crossing = problem.crossing;
        first_passage_into(&problem.diffusion, &domain, target, crossing, protocol, &|_| ()).unwrap()
    };
    pass(&PathProtocol {
        runs: 64,
        ..protocol.clone()
    });
    let before = processor_time();
    let passages = pass(&protocol);
    let time = processor_time() - before;
    let steps: f64 = passages
        .outcomes
        .iter()
        .map(|outcome| (Outcome::time(outcome) / problem.time_step).ceil())
        .sum();
    let mean = passages.outcomes.iter().map(Outcome::time).sum::<f64>() / runs as f64;
    println!(
        "{{\"ns\": {}, \"mean\": {mean}, \"runs\": {runs}}}",
        1e9 * time / steps
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|a| a != "--bench").collect();
    let [_, name, runs] = &arguments[..] else {
        println!("usage: formula_peer PROBLEM RUNS (see tests/benches/formula_peers.py)");
        return;
    };
    let runs = runs.parse().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| match (line(name), plane(name)) {
        (Some(problem), _) => run(&problem, runs),
        (_, Some(problem)) => run(&problem, runs),
        _ => println!("no problem is called {name}"),
    });
}
