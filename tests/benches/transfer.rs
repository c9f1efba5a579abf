//! Speed of the one-step operator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share
#![allow(missing_docs)] // criterion's macros

use criterion::{Criterion, criterion_group, criterion_main};
use freezeout::diffusion::Sgd;
use freezeout::landscape::{Slice, TwoValley};
use freezeout::transfer::{PathSettings, Resolution, TransferOperator, propagate};
use std::hint::black_box;

/// One cell of the phase diagram, 20000 steps forward and backward; goal: below a second.
fn cells(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("phase diagram cell");
    group.sample_size(10);
    for (eta, sigma) in [(0.01, 0.01), (0.01, 0.1), (0.0278, 0.0278), (0.1, 0.1)] {
        group.bench_function(format!("eta {eta} sigma {sigma}"), |bencher| {
            bencher.iter(|| {
                Sgd::hessian_power(TwoValley::default(), 1.0, eta, sigma, 1e-8)
                    .and_then(|sgd| propagate(black_box(&sgd), &PathSettings::default()))
            });
        });
    }
    group.finish();
}

/// Assembly, stationary law and spectral gap of a slice.
fn slice(criterion: &mut Criterion) {
    for eta in [0.01, 1e-4] {
        criterion.bench_function(&format!("slice stationary law and gap, eta {eta}"), |bencher| {
            bencher.iter(|| {
                let slice = Slice::new(TwoValley::default(), 3.0)?;
                let sgd = Sgd::hessian_power(slice, 1.0, eta, 1e-3 / eta, 0.0)?;
                let operator =
                    TransferOperator::new(black_box(&sgd), [-0.4, 0.4], &[], Resolution::default())?;
                Ok::<_, freezeout::Error>((operator.stationary()?, operator.spectral_gap()?))
            });
        });
    }
}

criterion_group!(benches, cells, slice);
criterion_main!(benches);
