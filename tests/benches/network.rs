//! Training at the size of MNIST: 784-50-50-10, 1000 images, batches of 50.
#![allow(missing_docs, clippy::unwrap_used)] // a benchmark may fail loudly

use criterion::{Criterion, criterion_group, criterion_main};
use freezeout::network::{Batch, CrossEntropy, FiniteSum, Perceptron, Samples, Training, train};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::hint::black_box;

fn networks(criterion: &mut Criterion) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let inputs: Vec<f64> = (0..784_000).map(|_| StandardNormal.sample(&mut random)).collect();
    let labels: Vec<u8> = (0..1000).map(|k| (k % 10) as u8).collect();
    let samples = Samples::new(784, inputs, labels).unwrap();
    let network = Perceptron::new(&[784, 50, 50, 10]).unwrap();
    let start = network.initial_state(&mut random);
    let mut loss = CrossEntropy::new(&network, &samples).unwrap();
    let training = Training {
        learning_rate: 0.05,
        batch_size: 50,
        momentum: 0.0,
        replacement: false,
        steps: 100,
        checkpoints: 2,
    };
    criterion.bench_function("100 steps of SGD, one thread", |bencher| {
        bencher.iter(|| black_box(train(&mut loss, &start, &training, &mut random).unwrap()));
    });
    let mut gradient = vec![0.0; network.parameters()];
    criterion.bench_function("full gradient of 1000 images, one thread", |bencher| {
        bencher.iter(|| black_box(loss.gradient(&start, Batch::All, &mut gradient)));
    });
}

criterion_group!(benches, networks);
criterion_main!(benches);
