//! Planar chains: ordering, factorisation and solve with nine-point stencils.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use freezeout::linalg::{Elimination, NestedDissection, SparseRates};
use std::sync::Arc;

/// Nine-point chain on n × n cells over V = 30 sin²(2πx) sin²(πy), killed along one edge.
fn nine_point(n: usize) -> (SparseRates, Vec<f64>, Vec<[i32; 2]>) {
    let energy = |i: usize, j: usize| {
        let (x, y) = (i as f64 / n as f64, j as f64 / n as f64);
        30.0 * ((std::f64::consts::TAU * x).sin() * (std::f64::consts::PI * y).sin()).powi(2)
    };
    let mut row_starts = vec![0];
    let (mut targets, mut rates) = (Vec::new(), Vec::new());
    let mut cells = Vec::new();
    for j in 0..n {
        for i in 0..n {
            cells.push([i as i32, j as i32]);
            for l in j.saturating_sub(1)..(j + 2).min(n) {
                for k in i.saturating_sub(1)..(i + 2).min(n) {
                    if (k, l) != (i, j) {
                        targets.push((l * n + k) as u32);
                        rates.push((0.5 * (energy(i, j) - energy(k, l))).exp());
                    }
                }
            }
            row_starts.push(targets.len());
        }
    }
    let killing = cells.iter().map(|c| if c[0] == 0 { 1.0 } else { 0.0 }).collect();
    (
        SparseRates::new(row_starts, targets, rates).unwrap(),
        killing,
        cells,
    )
}

/// Building the chain, and what walks over all of it.
fn sparse_rates(c: &mut Criterion) {
    let mut group = c.benchmark_group("sparse rates");
    group.sample_size(20);
    let n = 400;
    let (rates, _, _) = nine_point(n);
    // columns first, so that the order of the list is not that of the rows
    let mut list: Vec<(usize, usize, f64)> = (0..n * n)
        .flat_map(|i| rates.transitions_from(i).map(move |(j, r)| (i, j, r)))
        .collect();
    list.sort_by_key(|&(i, j, _)| (j, i));
    group.bench_function("build from transitions", |b| {
        b.iter(|| SparseRates::from_transitions(n * n, list.iter().copied()).unwrap());
    });
    group.bench_function("transpose", |b| b.iter(|| rates.transpose()));
    let f: Vec<f64> = (0..n * n).map(|i| (i as f64).sin()).collect();
    group.bench_function("apply", |b| b.iter(|| rates.apply(&f).unwrap()));
    group.bench_function("apply_adjoint", |b| b.iter(|| rates.apply_adjoint(&f).unwrap()));
    let keep: Vec<bool> = (0..n * n).map(|i| i % 7 != 0).collect();
    group.bench_function("restrict", |b| b.iter(|| rates.restrict(&keep).unwrap()));
    group.finish();
}

fn elimination(c: &mut Criterion) {
    let mut group = c.benchmark_group("elimination");
    group.sample_size(10);
    for n in [100, 200, 300, 400, 600] {
        let (rates, killing, cells) = nine_point(n);
        group.bench_function(BenchmarkId::new("order", n), |b| {
            b.iter(|| NestedDissection::geometric(&rates, &cells).unwrap());
        });
        let order = Arc::new(NestedDissection::geometric(&rates, &cells).unwrap());
        group.bench_function(BenchmarkId::new("factorise", n), |b| {
            b.iter(|| Elimination::new(&rates, &killing, order.clone()).unwrap());
        });
        let factors = Elimination::new(&rates, &killing, order).unwrap();
        let ones = vec![1.0; n * n];
        group.bench_function(BenchmarkId::new("solve", n), |b| {
            b.iter(|| factors.solve(&ones).unwrap())
        });
        group.bench_function(BenchmarkId::new("solve_adjoint", n), |b| {
            b.iter(|| factors.solve_adjoint(&ones).unwrap());
        });
    }
    group.finish();
}

// criterion's own plots need a font that is not everywhere
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = sparse_rates, elimination
}
criterion_main!(benches);
