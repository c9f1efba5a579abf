//! Timed training for training_peers.py: prints JSON.
//!
//! Arguments: file of the images (784 numbers each) and their labels as f64, one image after the other; repeats; steps; batch size; learning rate.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use freezeout::network::{Batch, CrossEntropy, FiniteSum, Perceptron, Samples, Training, train};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|a| a != "--bench").collect();
    let [_, file, repeats, steps, batch_size, learning_rate] = &arguments[..] else {
        println!("usage: training_peer FILE REPEATS STEPS BATCH RATE (see tests/benches/training_peers.py)");
        return;
    };
    let bytes = std::fs::read(file).unwrap();
    let numbers: Vec<f64> = bytes
        .chunks_exact(8)
        .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
        .collect();
    let inputs = numbers
        .chunks(785)
        .flat_map(|image| &image[..784])
        .copied()
        .collect();
    let labels = numbers.chunks(785).map(|image| image[784] as u8).collect();
    let samples = Samples::new(784, inputs, labels).unwrap();
    let network = Perceptron::new(&[784, 50, 50, 10]).unwrap();
    let training = Training {
        learning_rate: learning_rate.parse().unwrap(),
        batch_size: batch_size.parse().unwrap(),
        momentum: 0.0,
        replacement: false,
        steps: steps.parse().unwrap(),
        checkpoints: 2,
    };
    let before = Instant::now();
    let losses: Vec<f64> = (0..repeats.parse::<usize>().unwrap())
        .into_par_iter()
        .with_max_len(1)
        .map(|repeat| {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(repeat as u64);
            let start = network.initial_state(&mut random);
            let mut loss = CrossEntropy::new(&network, &samples).unwrap();
            let run = train(&mut loss, &start, &training, &mut random).unwrap();
            let mut gradient = vec![0.0; network.parameters()];
            loss.gradient(&run.checkpoints[1], Batch::All, &mut gradient)
        })
        .collect();
    let seconds = before.elapsed().as_secs_f64();
    println!("{{\"seconds\": {seconds}, \"losses\": {losses:?}}}");
}
