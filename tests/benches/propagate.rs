//! Time-dependent densities: fixed generator, slow path with last-hop laws, plane.

// A benchmark stops at the first error; the macros of criterion write undocumented functions.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use freezeout::diffusion::{OrnsteinUhlenbeck, Sgd};
use freezeout::freezing::{
    DensityPathSettings, PlanarSettings, density_last_hop, density_path, planar_density,
};
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid};
use freezeout::landscape::{Slice, TwoValley};
use freezeout::observables::propagate;

fn fixed_generator(c: &mut Criterion) {
    let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0).unwrap();
    let grid = Grid::new([Axis::uniform(-9.0, 9.0, 1000).unwrap()]);
    let generator = Generator::assemble(&ou, grid).unwrap();
    let mut start = vec![0.0; 1000];
    start[700] = 1.0;
    c.bench_function("propagate 1000 cells to t = 1, tolerance 1e-6", |b| {
        b.iter(|| propagate(&generator, &start, &[1.0], 1e-6).unwrap())
    });
}

fn slow_path(c: &mut Criterion) {
    let model = TwoValley::default();
    let slice = |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, 1e-3, 0.0);
    let settings = DensityPathSettings::new(1.0, 25.8);
    let mut group = c.benchmark_group("slow path, noise strength 1e-3");
    group.sample_size(10);
    group.bench_function("density", |b| {
        b.iter(|| density_path(&model, slice, &settings).unwrap())
    });
    group.bench_function("density and last-hop laws", |b| {
        b.iter(|| density_last_hop(&model, slice, &settings).unwrap())
    });
    group.finish();
}

fn plane(c: &mut Criterion) {
    let model = TwoValley::default();
    let sgd = Sgd::hessian_power(model, 1.0, 1.0, 1e-3, 1e-8).unwrap();
    let mut group = c.benchmark_group("plane, noise strength 1e-3, y from 1 to 2");
    group.sample_size(10);
    // 356 x 200 cells to y = 16 take 25 s of processor time; this is a part of it.
    group.bench_function("density", |b| {
        b.iter(|| planar_density(&model, &sgd, &PlanarSettings::new(1.0, 2.0)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, fixed_generator, slow_path, plane);
criterion_main!(benches);
