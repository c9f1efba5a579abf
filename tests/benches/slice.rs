//! The grid and quadrature routes in one dimension.
#![allow(missing_docs, clippy::unwrap_used)] // a benchmark may fail loudly

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use freezeout::diffusion::Sgd;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::{DoubleWell, Slice, TwoValley};
use freezeout::noise::Isotropic;
use freezeout::observables::{mean_first_passage_time, spectral_gap};
use freezeout::rates::{ScaleAndSpeed, confining_domain};
use std::hint::black_box;

fn slice(c: &mut Criterion) {
    let sgd = Sgd::hessian_power(
        Slice::new(TwoValley::default(), 5.0).unwrap(),
        1.0,
        1.0,
        1e-3,
        0.0,
    )
    .unwrap();
    let grid = |cells| Grid::new([Axis::with_faces_at(-0.5, 0.6, cells, &[0.0]).unwrap()]);
    let mut group = c.benchmark_group("one million cells");
    group.sample_size(10).throughput(Throughput::Elements(1_000_000));
    let large = grid(1_000_000);
    group.bench_function("assemble", |b| {
        b.iter(|| Generator::assemble(&sgd, black_box(large.clone())).unwrap())
    });
    let generator = Generator::assemble(&sgd, large.clone()).unwrap();
    let target = CellSet::new("target", &large, |x| x[0] > 0.0).unwrap();
    group.bench_function("mean first-passage time", |b| {
        b.iter(|| mean_first_passage_time(black_box(&generator), &target).unwrap())
    });
    group.finish();
    let well = Sgd::new(
        DoubleWell::new(0.25, 1.0).unwrap(),
        Isotropic::new(0.1).unwrap(),
        1.0,
        1.0,
    )
    .unwrap();
    let line = Grid::new([Axis::with_faces_at(-2.0, 2.0, 4000, &[-1.0, 0.0, 1.0]).unwrap()]);
    let generator = Generator::assemble(&well, line).unwrap();
    c.bench_function("spectral gap of 4000 cells", |b| {
        b.iter(|| spectral_gap(black_box(&generator)).unwrap())
    });
    let (lower, upper) = confining_domain(&well, -1.0, 1.0, 1e-20).unwrap();
    c.bench_function("first-passage integral, double well", |b| {
        b.iter(|| {
            ScaleAndSpeed::new(&well, lower, upper)
                .unwrap()
                .first_passage(black_box(-1.0), 1.0)
                .unwrap()
        })
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = slice
}
criterion_main!(benches);
