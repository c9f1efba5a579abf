//! Planar generators: assembly of 10^6 cells, spectral gap of 200² cells by both factorisations, transient density.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use freezeout::diffusion::Diffusion;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid};
use freezeout::math::{Point, Tensor};
use freezeout::observables::{slow_modes, spectral_gap, transient_density};

/// Double well in x, harmonic in y, with a tensor that is constant times [1, c; c, 1].
struct Well {
    cross: f64,
}

impl Diffusion<2> for Well {
    fn drift(&self, t: &Point<2>) -> Point<2> {
        Point::<2>::new(t[0] - t[0].powi(3), -t[1])
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        Tensor::<2>::new(0.1, 0.1 * self.cross, 0.1 * self.cross, 0.1)
    }
}

fn planar(cross: f64, n: usize) -> Generator<2> {
    let grid = Grid::new([
        Axis::uniform(-2.0, 2.0, n).unwrap(),
        Axis::uniform(-1.5, 1.5, n).unwrap(),
    ]);
    Generator::assemble(&Well { cross }, grid).unwrap()
}

fn generator(c: &mut Criterion) {
    let mut group = c.benchmark_group("generator");
    group.sample_size(10);
    for (name, cross) in [("faces", 0.0), ("offsets", 0.4)] {
        group.bench_function(BenchmarkId::new("assemble 10^6 cells", name), |b| {
            b.iter(|| planar(cross, 1000))
        });
    }
    let faces = planar(0.0, 200);
    group.bench_function("gap 200², plain factorisation", |b| {
        b.iter(|| spectral_gap(&faces).unwrap())
    });
    group.bench_function("gap 200², without subtraction", |b| {
        b.iter(|| slow_modes(&faces, 1).unwrap())
    });
    let mut start: Vec<f64> = (0..40_000)
        .map(|c| {
            let x = faces.grid().centre(c);
            (-((x[0] + 0.7).powi(2) + (x[1] - 0.3).powi(2)) / 0.18).exp()
        })
        .collect();
    let mass: f64 = start.iter().sum();
    start.iter_mut().for_each(|p| *p /= mass);
    group.bench_function("transient 200² to t = 1, error 1e-4", |b| {
        b.iter(|| transient_density(&faces, &start, 1.0, 1e-4).unwrap())
    });
    group.finish();
}

// criterion's own plots need a font that is not everywhere
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = generator
}
criterion_main!(benches);
