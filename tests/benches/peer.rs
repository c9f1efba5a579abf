//! One timed run of the transient problem of peers.py, for that script: prints JSON and writes the density.
//!
//! Arguments: cells a side, tolerance in time, file for the cell probabilities (little-endian f64, last axis fastest).
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use freezeout::diffusion::Diffusion;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid};
use freezeout::math::{Point, Tensor};
use freezeout::observables::transient_density;
use std::time::Instant;

/// L = x⁴/4 − x²/2 + y² + xy/2, D = 1/4; the same numbers stand at the top of peers.py.
struct Problem;

impl Diffusion<2> for Problem {
    fn drift(&self, t: &Point<2>) -> Point<2> {
        Point::<2>::new(t[0] - t[0].powi(3) - 0.5 * t[1], -2.0 * t[1] - 0.5 * t[0])
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        Tensor::<2>::from_diagonal_element(0.25)
    }
}

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

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|a| a != "--bench").collect();
    let [_, cells, tolerance, file] = &arguments[..] else {
        println!("usage: peer CELLS TOLERANCE FILE (see tests/benches/peers.py)");
        return;
    };
    let (n, tolerance): (usize, f64) = (cells.parse().unwrap(), tolerance.parse().unwrap());
    let axis = || Axis::uniform(-2.75, 2.75, n).unwrap();
    let grid = Grid::new([axis(), axis()]);
    let mut start: Vec<f64> = (0..n * n)
        .map(|c| {
            let x = grid.centre(c);
            (-((x[0] + 0.7).powi(2) + (x[1] - 0.3).powi(2)) / 0.18).exp()
        })
        .collect();
    let mass: f64 = start.iter().sum();
    start.iter_mut().for_each(|p| *p /= mass);
    // the first call starts the threads
    let generator = Generator::assemble(&Problem, grid.clone()).unwrap();
    transient_density(&generator, &start, 1.0, tolerance).unwrap();
    let (wall, processor) = (Instant::now(), processor_time());
    let generator = Generator::assemble(&Problem, grid).unwrap();
    let (assembled, assembled_processor) = (wall.elapsed(), processor_time());
    let result = transient_density(&generator, &start, 1.0, tolerance).unwrap();
    let (total, total_processor) = (wall.elapsed(), processor_time());
    let bytes: Vec<u8> = result.probability.iter().flat_map(|p| p.to_le_bytes()).collect();
    std::fs::write(file, bytes).unwrap();
    println!(
        "{{\"assembly_ms\": {}, \"solve_ms\": {}, \"assembly_cpu_ms\": {}, \"solve_cpu_ms\": {}, \"time_error\": {:e}, \"negative\": {:e}, \"steps\": {}}}",
        assembled.as_secs_f64() * 1e3,
        (total - assembled).as_secs_f64() * 1e3,
        (assembled_processor - processor) * 1e3,
        (total_processor - assembled_processor) * 1e3,
        result.error,
        result.negative,
        result.steps
    );
}
