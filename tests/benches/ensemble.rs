//! Nanoseconds per step of the ensembles, on one core: divide the criterion time by the steps given in the name.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // a benchmark may fail loudly

use criterion::{Criterion, criterion_group, criterion_main};
use freezeout::diffusion::Sgd;
use freezeout::ensemble::{Cell, Instructions, Protocol, TwoValleyWalk, simulate_with};
use freezeout::landscape::TwoValley;

fn discrete_sgd(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("discrete_sgd");
    let (runs, steps) = (64, 1024_u64);
    group.throughput(criterion::Throughput::Elements(runs as u64 * steps));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for power in [1.0, 2.0, 1.5] {
        let sgd = Sgd::hessian_power(TwoValley::default(), power, 0.05, 0.02, 1e-8).unwrap();
        let cells = [Cell {
            walk: TwoValleyWalk::discrete(&sgd).unwrap(),
            protocol: Protocol {
                starts: vec![[-0.01, 5.0], [0.01, 5.0]],
                runs,
                steps,
                record_every: None,
                seed: 1,
                experiment: 1,
            },
        }];
        for instructions in Instructions::ALL {
            group.bench_function(format!("p={power}/{instructions:?}"), |b| {
                b.iter(|| pool.install(|| simulate_with(instructions, &cells, &|_| ()).unwrap()));
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = discrete_sgd
}
criterion_main!(benches);
