//! Networks: derivatives against differences, the law of SGD on a quadratic against closed forms, and what training refuses.
#![allow(clippy::unwrap_used)]

use freezeout::network::{
    Batch, Continuation, CrossEntropy, FiniteSum, Images, LayerHessian, Perceptron, Samples, Training,
    crossing, gradient_descent, noise_exponent, ridge, split, train,
};
use freezeout::rates::literature::{
    discrete_quadratic_variance, discrete_quadratic_variance_without_replacement,
};
use freezeout::statistics::mean;
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

fn random(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

fn digits(train: usize, test: usize) -> (Samples, Samples) {
    split(&Images::digits().unwrap(), train, test).unwrap()
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn moved(theta: &[f64], by: f64, direction: &[f64]) -> Vec<f64> {
    theta.iter().zip(direction).map(|(t, d)| t + by * d).collect()
}

/// A network after some training, so that gradients are neither zero nor those of the start.
fn trained(network: &Perceptron, samples: &Samples, steps: u64) -> Vec<f64> {
    let training = Training {
        learning_rate: 0.1,
        batch_size: 20,
        momentum: 0.0,
        replacement: false,
        steps,
        checkpoints: 2,
    };
    let start = network.initial_state(&mut random(1));
    let mut loss = CrossEntropy::new(network, samples).unwrap();
    let run = train(&mut loss, &start, &training, &mut random(2)).unwrap();
    run.checkpoints[1].clone()
}

#[test]
fn derivatives_are_those_of_differences() {
    let (samples, _) = digits(6, 1);
    let network = Perceptron::new(&[64, 12, 9, 10]).unwrap();
    let theta = trained(&network, &samples, 40);
    let mut loss = CrossEntropy::new(&network, &samples).unwrap();
    let n = network.parameters();
    let chosen = [3, 17, 40, 41, 59, 3];
    // ReLU has kinks: the step must be so short that no unit switches, and differences are then good to eps/h
    let h = 1e-6;
    for batch in [Batch::All, Batch::Some(&chosen)] {
        let (mut gradient, mut unused) = (vec![0.0; n], vec![0.0; n]);
        loss.gradient(&theta, batch, &mut gradient);
        for direction in [network.initial_state(&mut random(3)), vec![0.1; n]] {
            let mut at = |by: f64| loss.gradient(&moved(&theta, by, &direction), batch, &mut unused);
            let difference = (at(h) - at(-h)) / (2.0 * h);
            let exact: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
            assert!(
                (difference - exact).abs() < 1e-8 * (1.0 + exact.abs()),
                "{difference} {exact}"
            );
        }
    }
    let mut linearised = loss.linearise(&theta);
    for first in 0..3 {
        let mut direction = network.initial_state(&mut random(4));
        direction
            .iter_mut()
            .enumerate()
            .for_each(|(k, d)| *d += 0.01 * (k as f64).sin());
        direction[..network.weights(first).start].fill(0.0);
        let mut image = vec![0.0; n];
        linearised.hessian_product(&direction, first, &mut image);
        let mut at = |by: f64| {
            let mut gradient = vec![0.0; n];
            loss.gradient(&moved(&theta, by, &direction), Batch::All, &mut gradient);
            gradient
        };
        let (right, left) = (at(h), at(-h));
        let kept = network.weights(first).start..n;
        let difference: Vec<f64> = kept.clone().map(|k| (right[k] - left[k]) / (2.0 * h)).collect();
        let error: Vec<f64> = kept
            .map(|k| image[k])
            .zip(&difference)
            .map(|(a, b)| a - b)
            .collect();
        assert!(
            norm(&error) < 1e-7 * norm(&difference),
            "{first}: {} of {}",
            norm(&error),
            norm(&difference)
        );
        assert!(image[..network.weights(first).start].iter().all(|v| *v == 0.0));
    }
}

/// The eigenvalues of one layer by Lanczos against those of its whole matrix, and the noise against that of gradients sample by sample.
#[test]
fn the_layer_hessian_and_the_noise_are_those_of_the_whole_matrix() {
    let (samples, _) = digits(6, 1);
    let network = Perceptron::new(&[64, 12, 9, 10]).unwrap();
    let theta = trained(&network, &samples, 60);
    let mut loss = CrossEntropy::new(&network, &samples).unwrap();
    let mut linearised = loss.linearise(&theta);
    let weights = network.weights(1);
    let columns: Vec<Vec<f64>> = weights
        .clone()
        .map(|k| {
            let (mut direction, mut image) =
                (vec![0.0; network.parameters()], vec![0.0; network.parameters()]);
            direction[k] = 1.0;
            linearised.hessian_product(&direction, 1, &mut image);
            image[weights.clone()].to_vec()
        })
        .collect();
    let matrix = DMatrix::from_fn(weights.len(), weights.len(), |i, j| columns[j][i]);
    let asymmetry = (&matrix - matrix.transpose()).amax();
    assert!(asymmetry < 1e-14 * matrix.amax() * 10.0, "{asymmetry}");
    let mut exact: Vec<f64> = matrix.symmetric_eigen().eigenvalues.iter().copied().collect();
    exact.sort_by(|a, b| b.total_cmp(a));
    let hessian = LayerHessian::new(&mut linearised, 1, 12).unwrap();
    for (pair, exact) in hessian.pairs.iter().zip(&exact) {
        assert!(
            (pair.value - exact).abs() <= 1e-12 + pair.residual,
            "{} {exact}",
            pair.value
        );
    }
    let noise = noise_exponent(&linearised, &hessian, 1).unwrap();
    let mut gradient = vec![0.0; network.parameters()];
    for (pair, covariance) in hessian.pairs.iter().zip(&noise.covariance) {
        let along: Vec<f64> = (0..samples.count())
            .map(|n| {
                loss.gradient(&theta, Batch::Some(&[n]), &mut gradient);
                gradient[weights.clone()]
                    .iter()
                    .zip(&pair.vector)
                    .map(|(g, v)| g * v)
                    .sum()
            })
            .collect();
        let exact = freezeout::statistics::variance(&along).unwrap().value;
        assert!((covariance / exact - 1.0).abs() < 1e-9, "{covariance} {exact}");
    }
}

/// (1/m) Σ_n h(θ − s_n)²/2 in one variable, with the s_n of mean zero.
struct Parabolas {
    curvature: f64,
    centres: Vec<f64>,
}

impl FiniteSum for Parabolas {
    fn dimension(&self) -> usize {
        1
    }
    fn samples(&self) -> usize {
        self.centres.len()
    }
    fn gradient(&mut self, theta: &[f64], batch: Batch<'_>, gradient: &mut [f64]) -> f64 {
        let Batch::Some(chosen) = batch else {
            return f64::NAN;
        };
        let slopes = chosen
            .iter()
            .map(|n| self.curvature * (theta[0] - self.centres[*n]));
        gradient[0] = slopes.sum::<f64>() / chosen.len() as f64;
        0.0
    }
}

/// Variance of θ at the checkpoints, which stand at ends of epochs, with its standard error.
fn variance_at_epochs(
    training: &Training,
    sum: &mut Parabolas,
    seed: u64,
) -> freezeout::statistics::Estimate {
    let run = train(sum, &[0.0], training, &mut random(seed)).unwrap();
    let squares: Vec<f64> = run
        .checkpoints
        .iter()
        .skip(50)
        .map(|theta| theta[0] * theta[0])
        .collect();
    // checkpoints are apart by several relaxation times; blocks take up what correlation is left
    let blocks: Vec<f64> = squares
        .chunks_exact(100)
        .map(|b| b.iter().sum::<f64>() / 100.0)
        .collect();
    mean(&blocks).unwrap()
}

/// Ten centres of mean zero and of variance one about it.
fn ten() -> Vec<f64> {
    let raw: Vec<f64> = (0..10).map(|k| f64::from(k) - 4.5).collect();
    let scale = (raw.iter().map(|c| c * c).sum::<f64>() / 10.0).sqrt();
    raw.iter().map(|c| c / scale).collect()
}

/// m = 10, ηh = 0.1, B = 1: without replacement the noise of an epoch nearly cancels. Variances in units of that of the centres.
#[test]
fn without_replacement_the_variance_is_that_of_the_exact_law() {
    let with = discrete_quadratic_variance(1.0, 1.0, 0.1).unwrap();
    let without = discrete_quadratic_variance_without_replacement(1.0, 1.0, 0.1, 10, 1).unwrap();
    assert!(
        (without - 0.00482).abs() < 5e-6 && (with - 0.05263).abs() < 5e-6,
        "{without} {with}"
    );
    for (replacement, exact, other) in [(false, without, with), (true, with, without)] {
        let training = Training {
            learning_rate: 0.1,
            batch_size: 1,
            momentum: 0.0,
            replacement,
            steps: 400_000 * 3,
            checkpoints: 40_001,
        };
        let mut sum = Parabolas {
            curvature: 1.0,
            centres: ten(),
        };
        let found = variance_at_epochs(&training, &mut sum, 5);
        assert!(found.z_score(exact).abs() < 5.0, "{found:?} {exact}");
        assert!(found.standard_error < 0.02 * exact, "{found:?}");
        // and not the other law
        assert!(found.z_score(other).abs() > 20.0, "{found:?} {other}");
    }
}

/// Batches of two of the same ten, at another learning rate and curvature.
#[test]
fn without_replacement_the_law_holds_for_batches() {
    let (eta, curvature) = (0.15, 2.0);
    let exact = discrete_quadratic_variance_without_replacement(curvature, curvature * curvature, eta, 10, 2)
        .unwrap();
    let training = Training {
        learning_rate: eta,
        batch_size: 2,
        momentum: 0.0,
        replacement: false,
        steps: 100_000 * 5,
        checkpoints: 100_001,
    };
    let mut sum = Parabolas {
        curvature,
        centres: ten(),
    };
    let found = variance_at_epochs(&training, &mut sum, 7);
    assert!(found.z_score(exact).abs() < 5.0, "{found:?} {exact}");
    assert!(found.standard_error < 0.02 * exact, "{found:?}");
    let refused = |samples, batch_size, eta| {
        discrete_quadratic_variance_without_replacement(curvature, 1.0, eta, samples, batch_size).is_err()
    };
    assert!(refused(10, 3, eta) && refused(10, 0, eta) && refused(1, 1, eta) && refused(10, 2, 1.0));
}

/// η C (1 + β)/(h (1 − β)(2(1 + β) − ηh)) at η = .1, β = .9, h = C = 1, which is .51351.
#[test]
fn with_momentum_the_variance_is_that_of_the_exact_law() {
    let (eta, beta) = (0.1, 0.9);
    let exact = eta * (1.0 + beta) / ((1.0 - beta) * (2.0 * (1.0 + beta) - eta));
    assert!((exact - 0.51351_f64).abs() < 5e-6);
    let training = Training {
        learning_rate: eta,
        batch_size: 1,
        momentum: beta,
        replacement: true,
        steps: 3_000_000,
        checkpoints: 100_001,
    };
    let mut sum = Parabolas {
        curvature: 1.0,
        centres: ten(),
    };
    let found = variance_at_epochs(&training, &mut sum, 6);
    assert!(found.z_score(exact).abs() < 5.0, "{found:?} {exact}");
    assert!(found.standard_error < 0.02 * exact, "{found:?}");
    // without momentum it is a tenth
    let without = eta / (2.0 - eta);
    assert!(found.z_score(without).abs() > 20.0, "{found:?}");
}

#[test]
fn training_is_the_same_on_any_number_of_threads() {
    let (samples, _) = digits(10, 1);
    let network = Perceptron::new(&[64, 10, 10, 10]).unwrap();
    let start = network.initial_state(&mut random(1));
    let training = Training {
        learning_rate: 0.1,
        batch_size: 10,
        momentum: 0.0,
        replacement: false,
        steps: 100,
        checkpoints: 3,
    };
    let all = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            (0..6_u64)
                .into_par_iter()
                .map(|seed| {
                    let mut loss = CrossEntropy::new(&network, &samples).unwrap();
                    train(&mut loss, &start, &training, &mut random(seed)).unwrap()
                })
                .collect::<Vec<_>>()
        })
    };
    let one = all(1);
    assert_eq!(one, all(4));
    assert_ne!(one[0], one[1]);
}

#[test]
fn training_learns_continues_and_says_where_it_diverged() {
    let (train_samples, test_samples) = digits(30, 60);
    let network = Perceptron::new(&[64, 20, 20, 10]).unwrap();
    let mut train_loss = CrossEntropy::new(&network, &train_samples).unwrap();
    let mut test_loss = CrossEntropy::new(&network, &test_samples).unwrap();
    let theta = trained(&network, &train_samples, 150);
    let continuation = Continuation {
        learning_rate: 0.1,
        budget: 3000,
    };
    let end = gradient_descent(&theta, &continuation, &mut train_loss, &mut test_loss);
    assert_eq!(end.train.accuracy, 1.0);
    assert!(end.test.accuracy > 0.7, "{}", end.test.accuracy);
    assert!(
        end.train.loss <= 5e-3 && end.steps < 3000,
        "{} {}",
        end.train.loss,
        end.steps
    );
    assert_eq!(end.steps % 10, 0);
    let wild = Training {
        learning_rate: 1e6,
        batch_size: 10,
        momentum: 0.0,
        replacement: false,
        steps: 200,
        checkpoints: 11,
    };
    let start = network.initial_state(&mut random(1));
    let run = train(&mut train_loss, &start, &wild, &mut random(1)).unwrap();
    assert!(
        run.diverged_at.is_some_and(|step| step < 200),
        "{:?}",
        run.diverged_at
    );
    for wrong in [
        Training {
            batch_size: 301,
            ..wild
        },
        Training {
            batch_size: 0,
            ..wild
        },
        Training {
            learning_rate: -1.0,
            ..wild
        },
        Training {
            momentum: 1.0,
            ..wild
        },
        Training {
            checkpoints: 1,
            ..wild
        },
        Training {
            checkpoints: 202,
            ..wild
        },
    ] {
        assert!(
            train(&mut train_loss, &start, &wrong, &mut random(1))
                .unwrap_err()
                .is_bad_input()
        );
    }
    assert!(train(&mut train_loss, &start[1..], &wild, &mut random(1)).is_err());
}

/// ℓ_±(x, y) = L ± a x with L either two wells, (x² − 1)²/4, or a floor without wells, both in a valley along y.
struct Displaced {
    wells: f64,
    noise: f64,
}

impl Displaced {
    fn loss(&self, at: &[f64]) -> f64 {
        0.25 * self.wells * (at[0] * at[0] - 1.0).powi(2) + 0.5 * at[1] * at[1]
    }

    /// Where gradient descent leads to.
    fn end(&mut self, from: &[f64]) -> Vec<f64> {
        let (mut at, mut gradient) = (from.to_vec(), [0.0; 2]);
        for _ in 0..2000 {
            self.gradient(&at.clone(), Batch::All, &mut gradient);
            at.iter_mut().zip(&gradient).for_each(|(t, g)| *t -= 0.05 * g);
        }
        at
    }
}

impl FiniteSum for Displaced {
    fn dimension(&self) -> usize {
        2
    }

    fn samples(&self) -> usize {
        2
    }

    fn gradient(&mut self, theta: &[f64], batch: Batch<'_>, gradient: &mut [f64]) -> f64 {
        let kick = match batch {
            Batch::All => 0.0,
            Batch::Some(chosen) => {
                let signs = chosen
                    .iter()
                    .map(|n| if *n == 0 { -self.noise } else { self.noise });
                signs.sum::<f64>() / chosen.len() as f64
            }
        };
        gradient[0] = self.wells * theta[0] * (theta[0] * theta[0] - 1.0) + kick;
        gradient[1] = theta[1];
        self.loss(theta) + kick * theta[0]
    }
}

/// SGD that leaves a well and SGD that wanders on a floor, told apart by the end points before and after the iteration at which they come beyond 1/2.
#[test]
fn hops_and_drifts_of_end_points_are_told_apart() {
    let training = Training {
        learning_rate: 0.05,
        batch_size: 1,
        momentum: 0.0,
        replacement: true,
        steps: 8000,
        checkpoints: 8001,
    };
    let temperature = |noise: f64| 0.5 * training.learning_rate * noise * noise;
    for (wells, noise) in [(1.0, 2.0), (0.0, 2.0)] {
        let mut sum = Displaced { wells, noise };
        let run = train(&mut sum, &[-1.0, 0.3], &training, &mut random(3)).unwrap();
        let first = run
            .checkpoints
            .iter()
            .position(|at| sum.end(at)[0] > 0.5)
            .unwrap();
        let states = &run.checkpoints[..=first];
        let [before, after] = crossing(states.len(), |k| sum.end(&states[k]), |end| end[0] > 0.5);
        assert!(before[0] <= 0.5 && after[0] > 0.5);
        let (step, height) = (after[0] - before[0], ridge(&before, &after, |at| sum.loss(at)));
        match wells > 0.0 {
            true => {
                assert!(
                    (step - 2.0).abs() < 1e-9 && (height - 0.25).abs() < 1e-12,
                    "{step} {height}"
                );
                assert!(height > temperature(noise));
            }
            // one iteration of training, and nothing to hop over
            false => assert!(
                (step - 0.05 * noise).abs() < 1e-9 && height < 1e-15,
                "{step} {height}"
            ),
        }
    }
}
