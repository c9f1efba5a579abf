//! The random streams: distribution of the normals, independence of lanes, blocks and steps.
//!
//! Tolerances are Z standard errors; Z = 5 has a false-alarm probability of 6e-7 per comparison. Seeds are fixed.

use freezeout::ensemble::stream::{LANES, STEP_BLOCK, StreamKey, Streams, experiment_number};

const Z: f64 = 5.0;

/// Sums over a sample of normals from all lanes and several step blocks.
struct Sample {
    count: f64,
    power_sums: [f64; 7],
    /// |z| > 1 … 6.
    tails: [u64; 7],
    /// |z|² of a pair beyond 30.
    far: u64,
    sorted: Vec<f64>,
}

impl Sample {
    fn collect(blocks: u64, mut draw: impl FnMut(&mut Streams, usize) -> [f64; 2]) -> Self {
        let key = StreamKey::new(11, experiment_number("normals"));
        let mut streams = Streams::unset();
        let mut sample = Self {
            count: 0.0,
            power_sums: [0.0; 7],
            tails: [0; 7],
            far: 0,
            sorted: Vec::new(),
        };
        for block in 0..blocks {
            for lane in 0..LANES {
                streams.set(lane, key.state(lane as u64, block));
            }
            for _ in 0..STEP_BLOCK {
                for lane in 0..LANES {
                    let [a, b] = draw(&mut streams, lane);
                    sample.far += u64::from(a * a + b * b > 30.0);
                    for z in [a, b] {
                        let mut power = 1.0;
                        for sum in &mut sample.power_sums {
                            *sum += power;
                            power *= z;
                        }
                        let size = (z.abs() as usize).min(6);
                        sample.tails[size] += 1;
                        if block < 50 {
                            sample.sorted.push(z);
                        }
                    }
                }
            }
        }
        sample.count = sample.power_sums[0];
        sample.sorted.sort_by(f64::total_cmp);
        // From numbers in [k, k+1) to numbers beyond k.
        for k in (0..6).rev() {
            sample.tails[k] += sample.tails[k + 1];
        }
        sample
    }

    /// The largest deviation, in units of what is allowed, of moments, tails and distribution.
    fn worst(&self) -> [f64; 3] {
        let n = self.count;
        // (moment, variance of z^k) for k = 1 … 6.
        let expected = [
            (0.0, 1.0),
            (1.0, 2.0),
            (0.0, 15.0),
            (3.0, 96.0),
            (0.0, 945.0),
            (15.0, 10_170.0),
        ];
        let moments = expected
            .iter()
            .zip(&self.power_sums[1..])
            .map(|(&(mean, variance), sum)| (sum / n - mean).abs() / (Z * f64::sqrt(variance / n)))
            .fold(0.0, f64::max);
        // P(|z| > k); below an expectation of about 30 the Poisson law needs a few counts more than Z sigmas.
        let beyond = [
            1.0,
            0.317_310_507_9,
            0.045_500_263_9,
            2.699_796_06e-3,
            6.334_248e-5,
            5.733_03e-7,
            1.973_2e-9,
        ];
        let poisson = |count: u64, mean: f64| (count as f64 - mean).abs() / (Z * mean.sqrt() + 3.0);
        let tails = (1..7)
            .map(|k| poisson(self.tails[k], n * beyond[k]))
            .fold(poisson(self.far, n / 2.0 * f64::exp(-15.0)), f64::max);
        // Kolmogorov-Smirnov: sqrt(m) D > 2.69 has probability 1e-6.
        let m = self.sorted.len() as f64;
        let distance = self
            .sorted
            .iter()
            .enumerate()
            .map(|(i, &z)| {
                let cdf = 0.5 * statrs::function::erf::erfc(-z / std::f64::consts::SQRT_2);
                (cdf - i as f64 / m).abs().max((cdf - (i + 1) as f64 / m).abs())
            })
            .fold(0.0, f64::max);
        [moments, tails, m.sqrt() * distance / 2.69]
    }
}

#[test]
fn normals_have_the_normal_distribution() {
    let sample = Sample::collect(1000, |streams, lane| streams.normals(lane));
    assert_eq!(sample.count, 2000.0 * LANES as f64 * STEP_BLOCK as f64);
    let worst = sample.worst();
    assert!(worst.iter().all(|&w| w < 1.0), "{worst:?}");
    // Negative control: a sum of twelve uniforms has the right mean and variance only.
    let crude = |streams: &mut Streams, lane| {
        std::array::from_fn(|_| (0..12).map(|_| streams.uniform(lane)).sum::<f64>() - 6.0)
    };
    let worst = Sample::collect(50, crude).worst();
    assert!(worst.iter().all(|&w| w > 1.0), "{worst:?}");
}

/// The largest correlation, in units of Z standard errors, of z and of z² between lanes, blocks and steps.
fn worst_correlation(state: impl Fn(&StreamKey, u64, u64) -> [u64; 4]) -> f64 {
    const BLOCKS: usize = 64;
    let key = StreamKey::new(5, experiment_number("correlations"));
    let steps = STEP_BLOCK as usize;
    let mut z = vec![0.0; BLOCKS * steps * LANES];
    let mut streams = Streams::unset();
    for block in 0..BLOCKS {
        for lane in 0..LANES {
            streams.set(lane, state(&key, lane as u64, block as u64));
        }
        for step in 0..steps / 2 {
            for lane in 0..LANES {
                let pair = streams.normals(lane);
                for (i, value) in pair.into_iter().enumerate() {
                    z[(block * steps + 2 * step + i) * LANES + lane] = value;
                }
            }
        }
    }
    let correlation = |offset: usize, f: fn(f64) -> f64| {
        let products = z.iter().zip(&z[offset..]).map(|(a, b)| f(*a) * f(*b));
        products.sum::<f64>() / ((z.len() - offset) as f64).sqrt() / Z
    };
    let lags = [
        1,
        2,
        7,
        32,
        LANES,
        2 * LANES,
        3 * LANES,
        steps * LANES,
        2 * steps * LANES,
        steps * LANES + 1,
    ];
    let square = |v: f64| (v * v - 1.0) / 2.0_f64.sqrt();
    let both = |lag| {
        f64::max(
            f64::abs(correlation(lag, |v| v)),
            f64::abs(correlation(lag, square)),
        )
    };
    lags.into_iter().map(both).fold(0.0, f64::max)
}

#[test]
fn lanes_blocks_and_steps_are_uncorrelated() {
    let worst = worst_correlation(|key, run, block| key.state(run, block));
    assert!(worst < 1.0, "{worst}");
    // Negative controls: the key ignores the block, or half of the run.
    assert!(worst_correlation(|key, run, _| key.state(run, 0)) > 1.0);
    assert!(worst_correlation(|key, run, block| key.state(run / 2, block)) > 1.0);
}
