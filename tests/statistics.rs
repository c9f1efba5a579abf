//! Estimators and tests against scipy values, exact laws and data for which they must refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::Error;
use freezeout::statistics::agreement::{Verdict, agreement, threshold, z_score};
use freezeout::statistics::convergence::{observed_order, richardson};
use freezeout::statistics::hypothesis::{chi_square, kolmogorov_p_value, ks_one_sample, ks_two_sample};
use freezeout::statistics::*;
use rand::SeedableRng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

fn random(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

fn assert_close(got: f64, expected: f64, tolerance: f64) {
    let error = (got / expected - 1.0).abs();
    assert!(
        error <= tolerance,
        "{got:e} against {expected:e}: relative error {error:e} > {tolerance:e}"
    );
}

/// Additive recurrence: deterministic, irregular numbers in (0, 1).
fn sequence(n: usize, slope: f64, exponent: f64) -> Vec<f64> {
    (1..=n)
        .map(|i| (i as f64 * slope).rem_euclid(1.0).powf(exponent))
        .collect()
}
const GOLDEN: f64 = 0.618_033_988_749_894_9;
const SILVER: f64 = 0.414_213_562_373_095_1;

/// z of a suite-wide false-alarm budget of 10⁻⁶ over a few hundred statistical checks.
const Z: f64 = 6.0;

/// scipy is exact up to 140 samples and uses the Pelz-Good expansion above; the far tail takes exponentials of sums of
/// log-factorials of some thousands, hence not ε.
fn scipy(samples: usize) -> f64 {
    if samples <= 140 { 1e-9 } else { 2e-6 }
}

#[test]
fn kolmogorov_smirnov_equals_scipy() {
    // (n, exponent, D, p) of scipy.stats.kstest(…, 'uniform', method='exact').
    for (n, exponent, distance, p) in [
        (10, 1.5, 0.2141317282433542, 0.6741858369034708),
        (50, 1.3, 0.11457735001615152, 0.49205085008242255),
        (200, 1.15, 0.05247000097046328, 0.6213378528433158),
        (500, 1.1, 0.03751697124262032, 0.4710291668826794),
        (60, 2.5, 0.33859492207274977, 1.219326621303868e-06),
        (300, 3.0, 0.3877299304416973, 4.124344678844679e-41),
    ] {
        let test = ks_one_sample(&sequence(n, GOLDEN, exponent), |u| u).unwrap();
        assert_close(test.statistic, distance, 1e-12);
        assert_close(test.p_value, p, scipy(n));
    }
    // Above 500 samples the shifted limit law has an error of order 1/n.
    for (n, exponent, p) in [(1000, 1.08, 0.3570429512180139), (5000, 1.02, 0.9282512725697764)] {
        let test = ks_one_sample(&sequence(n, GOLDEN, exponent), |u| u).unwrap();
        assert_close(test.p_value, p, 1.0 / n as f64);
    }
    for (d, n, p) in [
        (0.3, 10, 0.27053557479999946),
        (0.1, 100, 0.2526927570063874),
        (0.05, 500, 0.15866260223815387),
        (0.2, 100, 0.0005551927327988775),
        (0.1, 1000, 3.703687096817711e-09),
        (0.5, 100, 1.2131434371817858e-23),
    ] {
        assert_close(kolmogorov_p_value(d, n), p, scipy(n));
    }
    assert_close(kolmogorov_p_value(0.05, 501), 0.1578719890663891, 2e-3);
    assert_close(kolmogorov_p_value(0.02, 5000), 0.03613941395325637, 1e-3);
    // scipy.stats.ks_2samp(…, method='asymp').
    for (n, m, exponent, distance, p) in [
        (40, 60, 1.3, 0.125, 0.8035011466643946),
        (200, 300, 1.2, 0.07833333333333331, 0.4311827236571204),
        (100, 100, 2.0, 0.27, 0.00103876659196811),
    ] {
        let test = ks_two_sample(&sequence(n, GOLDEN, 1.0), &sequence(m, SILVER, exponent)).unwrap();
        assert_close(test.statistic, distance, 1e-12);
        assert_close(test.p_value, p, 1e-9);
    }
    assert!(ks_one_sample(&[], |u| u).is_err());
    assert!(ks_one_sample(&[f64::NAN], |u| u).is_err());
    assert!(ks_one_sample(&[0.5], |_| 1.5).is_err());
}

#[test]
fn normal_samples_pass_and_a_wrong_law_fails() {
    let mut rng = random(1);
    let samples: Vec<f64> = (0..2000).map(|_| StandardNormal.sample(&mut rng)).collect();
    assert!(ks_one_sample(&samples, normal_cdf).unwrap().p_value > 1e-6);
    // Negative controls: mean shifted by 0.2, scale wrong by 20 %.
    assert!(ks_one_sample(&samples, |x| normal_cdf(x - 0.2)).unwrap().p_value < 1e-6);
    assert!(ks_one_sample(&samples, |x| normal_cdf(x / 1.2)).unwrap().p_value < 1e-3);
}

#[test]
fn chi_square_equals_scipy() {
    let test = chi_square(&[20.0, 30.0, 25.0, 25.0], &[25.0; 4], 0).unwrap();
    assert_close(test.p_value, 0.5724067044708798, 1e-10);
    // Negative control: a loaded die.
    assert!(
        chi_square(&[200.0, 100.0, 100.0], &[400.0 / 3.0; 3], 0)
            .unwrap()
            .p_value
            < 1e-9
    );
    assert!(chi_square(&[1.0, 2.0], &[1.0, 2.0], 0).is_err()); // expected counts too small
    assert!(chi_square(&[10.0, 20.0], &[10.0], 0).is_err());
    assert!(chi_square(&[10.0, 20.0], &[10.0, 20.0], 1).is_err());
}

#[test]
fn standard_errors_are_the_scatter_of_the_estimates() {
    // 400 repetitions of 200 normal samples: z-scores of mean and variance have unit variance within 5 standard errors.
    let mut rng = random(2);
    let (mut z_mean, mut z_variance) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        let x: Vec<f64> = (0..200)
            .map(|_| 3.0 + 2.0 * f64::sample_normal(&mut rng))
            .collect();
        z_mean.push(mean(&x).unwrap().z_score(3.0));
        z_variance.push(variance(&x).unwrap().z_score(4.0));
    }
    for z in [&z_mean, &z_variance] {
        let m = mean(z).unwrap();
        assert!(m.z_score(0.0).abs() < Z, "{m:?}");
        let v = variance(z).unwrap();
        assert!((v.value - 1.0).abs() < 0.35, "{v:?}"); // sqrt(2/400) = 0.07 for normal z
    }
}

trait Normal {
    fn sample_normal(rng: &mut Xoshiro256PlusPlus) -> f64;
}
impl Normal for f64 {
    fn sample_normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
        StandardNormal.sample(rng)
    }
}

#[test]
fn moments_merge_to_the_same_as_one_pass() {
    let data: Vec<f64> = sequence(1000, GOLDEN, 2.0).iter().map(|x| 1e6 + x).collect();
    let mut whole = Moments::default();
    data.iter().for_each(|&x| whole.push(x));
    let mut merged = Moments::default();
    for block in data.chunks(77) {
        let mut part = Moments::default();
        block.iter().for_each(|&x| part.push(x));
        merged.merge(&part);
    }
    assert_eq!(whole.count(), merged.count());
    assert_close(merged.mean().unwrap().value, whole.mean().unwrap().value, 1e-15);
    // Squares lose the digits of 1e6 against deviations of 0.3: ε·10⁶.
    assert_close(merged.variance().unwrap(), whole.variance().unwrap(), 1e-9);
    assert!(Moments::default().mean().is_err());
    assert!(mean(&[1.0, f64::NAN]).is_err());
    assert!(proportion(0, 0).is_err() && proportion(2, 1).is_err());
}

fn exponential_lifetimes(rng: &mut Xoshiro256PlusPlus, n: usize, rate: f64, end: f64) -> Vec<Lifetime> {
    (0..n)
        .map(|_| {
            let t: f64 = Distribution::<f64>::sample(&Exp1, rng) / rate;
            if t < end {
                Lifetime::escaped(t)
            } else {
                Lifetime::censored(end)
            }
        })
        .collect()
}

#[test]
fn censored_rates_are_unbiased_and_averaging_escapes_is_not() {
    let (rate, end) = (0.5, 1.0);
    let mut rng = random(3);
    let mut z = Vec::new();
    let mut naive = Moments::default();
    for _ in 0..200 {
        let data = exponential_lifetimes(&mut rng, 300, rate, end);
        let fit = exponential_fit(&data, 1e-6).unwrap();
        z.push(fit.rate.z_score(rate));
        let seen: Vec<f64> = data.iter().filter(|l| l.escaped).map(|l| l.time).collect();
        naive.push(1.0 / mean(&seen).unwrap().value);
    }
    assert!(mean(&z).unwrap().z_score(0.0).abs() < Z);
    assert!((variance(&z).unwrap().value - 1.0).abs() < 0.5);
    // Negative control: the mean of the observed escapes alone gives four times the rate.
    assert!(naive.mean().unwrap().z_score(rate) > 50.0);
}

#[test]
fn all_censored_gives_a_bound_only() {
    let data = vec![Lifetime::censored(10.0); 100];
    match exponential_rate(&data).unwrap_err() {
        Error::AllCensored { samples, time, bound } => {
            assert_eq!((samples, time), (100, 10.0));
            // Pr(no event) = exp(−bound·1000) = 0.05.
            assert_close((-bound * 1000.0).exp(), 0.05, 1e-12);
        }
        other => panic!("{other}"),
    }
    assert!(exponential_rate(&[]).is_err());
    assert!(exponential_rate(&[Lifetime::escaped(-1.0)]).is_err());
}

#[test]
fn times_that_are_not_exponential_are_refused() {
    let mut rng = random(4);
    let exponential = exponential_lifetimes(&mut rng, 2000, 1.0, 1.5);
    assert!(exponentiality_p_value(&exponential).unwrap() > 1e-4);
    // Dead time of a fifth of the mean.
    let late: Vec<Lifetime> = exponential
        .iter()
        .map(|l| Lifetime {
            time: l.time + 0.2,
            ..*l
        })
        .collect();
    // Sums of two exponential stages.
    let second = exponential_lifetimes(&mut rng, 2000, 1.0, f64::INFINITY);
    let staged: Vec<Lifetime> = exponential
        .iter()
        .zip(&second)
        .map(|(a, b)| Lifetime {
            time: a.time + b.time,
            ..*a
        })
        .collect();
    // Two populations with rates 1 and 5.
    let mixed: Vec<Lifetime> = exponential
        .iter()
        .enumerate()
        .map(|(k, l)| {
            if k % 2 == 0 {
                *l
            } else {
                Lifetime {
                    time: l.time / 5.0,
                    ..*l
                }
            }
        })
        .collect();
    for data in [late, staged, mixed] {
        assert!(matches!(
            exponential_fit(&data, 1e-3),
            Err(Error::AssumptionFails { .. })
        ));
    }
    assert!(matches!(
        exponentiality_p_value(&exponential[..3]),
        Err(Error::TooFewSamples { .. })
    ));
}

#[test]
fn exponentiality_p_values_are_uniform() {
    let mut rng = random(5);
    let p: Vec<f64> = (0..500)
        .map(|_| exponentiality_p_value(&exponential_lifetimes(&mut rng, 100, 2.0, 0.6)).unwrap())
        .collect();
    assert!(ks_one_sample(&p, |u| u).unwrap().p_value > 1e-6);
}

#[test]
fn kaplan_meier_meets_the_law_and_a_textbook_table() {
    // Freireich et al. 1963, 6-MP arm (Kaplan-Meier as in Collett, Modelling Survival Data, ex. 2.1 with Greenwood errors).
    let escaped = [6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0];
    let censored = [
        6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0,
    ];
    let mut data: Vec<Lifetime> = escaped.map(Lifetime::escaped).to_vec();
    data.extend(censored.map(Lifetime::censored));
    let curve = KaplanMeier::new(&data).unwrap();
    for (time, survival, error) in [
        (6.0, 0.8571, 0.0764),
        (7.0, 0.8067, 0.0869),
        (10.0, 0.7529, 0.0963),
        (13.0, 0.6902, 0.1068),
        (16.0, 0.6275, 0.1141),
        (22.0, 0.5378, 0.1282),
        (23.0, 0.4482, 0.1346),
    ] {
        let s = curve.survival(time);
        assert!(
            (s.value - survival).abs() < 5.1e-5 && (s.standard_error - error).abs() < 5.1e-5,
            "{time} {s:?}"
        );
    }
    assert_eq!(curve.survival(1.0).value, 1.0);
    // Restricted mean of an exponential law: (1 − e^{−kT})/k; z-scores over repetitions have unit variance.
    let mut rng = random(6);
    let exact = (1.0 - f64::exp(-1.0)) / 2.0;
    let z: Vec<f64> = (0..200)
        .map(|_| {
            let data = exponential_lifetimes(&mut rng, 300, 2.0, 0.8);
            KaplanMeier::new(&data)
                .unwrap()
                .restricted_mean(0.5)
                .unwrap()
                .z_score(exact)
        })
        .collect();
    assert!(mean(&z).unwrap().z_score(0.0).abs() < Z);
    assert!((variance(&z).unwrap().value - 1.0).abs() < 0.5);
    // Negative control: shuffled times (escape flags detached from times) give another curve.
    let data = exponential_lifetimes(&mut rng, 3000, 2.0, 0.8);
    let shuffled: Vec<Lifetime> = data
        .iter()
        .zip(data.iter().rev())
        .map(|(a, b)| Lifetime {
            time: a.time,
            escaped: b.escaped,
        })
        .collect();
    let right = KaplanMeier::new(&data).unwrap().survival(0.7);
    let wrong = KaplanMeier::new(&shuffled).unwrap().survival(0.7);
    assert!(right.z_score(f64::exp(-1.4)).abs() < Z && wrong.z_score(f64::exp(-1.4)).abs() > Z);
    assert!(curve.restricted_mean(36.0).is_err());
}

#[test]
fn bootstrap_reproduces_the_error_of_the_mean_and_its_own_bytes() {
    let data = sequence(400, GOLDEN, 1.7);
    let average = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let b = bootstrap(&data, 2000, 11, average).unwrap();
    // The bootstrap error scatters by 1/sqrt(2·2000).
    assert_close(
        b.estimate.standard_error,
        mean(&data).unwrap().standard_error,
        Z / 4000f64.sqrt(),
    );
    assert_eq!(b, bootstrap(&data, 2000, 11, average).unwrap());
    assert_ne!(b, bootstrap(&data, 2000, 12, average).unwrap());
    assert!(bootstrap(&data[..5], 2000, 1, average).is_err());
}

#[test]
fn agreement_accepts_equal_routes_and_rejects_a_small_bias_everywhere() {
    let mut rng = random(7);
    let cells: Vec<(Estimate, Estimate)> = (0..100)
        .map(|k| {
            let truth = k as f64;
            let mut noisy = |standard_error: f64| Estimate {
                value: truth + standard_error * f64::sample_normal(&mut rng),
                standard_error,
                samples: 1000,
            };
            (noisy(0.3), noisy(0.4))
        })
        .collect();
    let compare = |bias: f64, allowed: f64| {
        let z: Vec<f64> = cells
            .iter()
            .map(|(a, b)| {
                z_score(
                    &Estimate {
                        value: a.value + bias,
                        ..*a
                    },
                    b,
                    allowed,
                )
                .unwrap()
            })
            .collect();
        agreement(&z, 1e-6).unwrap()
    };
    let right = compare(0.0, 0.0);
    assert_eq!(right.verdict, Verdict::Agree);
    assert!((right.rms_z - 1.0).abs() < Z / 200f64.sqrt(), "{right:?}");
    // Negative control: two standard errors of bias show in the rms, eight in the verdict; a stated bound covers them.
    assert!(compare(1.0, 0.0).rms_z > 1.8);
    assert_eq!(compare(4.0, 0.0).verdict, Verdict::Disagree);
    assert_eq!(compare(4.0, 4.0).verdict, Verdict::Agree);
    assert_close(threshold(1e-6, 100).unwrap(), 5.730728868235925, 1e-6);
    assert!(threshold(0.0, 1).is_err() && threshold(0.1, 0).is_err());
    assert!(agreement(&[], 1e-6).is_err() && agreement(&[f64::NAN], 1e-6).is_err());
}

#[test]
fn orders_are_observed_and_levels_outside_the_asymptotic_range_refused() {
    for order in [1.0, 2.0, 4.0] {
        let u = |k: i32| {
            5.0 - 0.7 * 2f64.powf(-order * f64::from(k)) + 0.02 * 2f64.powf(-(order + 1.0) * f64::from(k))
        };
        let levels: Vec<f64> = (0..5).map(u).collect();
        let result = richardson(&levels, 2.0, Some(order)).unwrap();
        assert!((result.order - order).abs() < 0.05);
        assert!((result.limit - 5.0).abs() < result.error, "{result:?}");
        assert!(result.error < result.finest_error);
        let free = richardson(&levels, 2.0, None).unwrap();
        assert!((free.limit - 5.0).abs() < free.error, "{free:?}");
        // Negative control: the wrong order is refused.
        assert!(matches!(
            richardson(&levels, 2.0, Some(order + 1.0)),
            Err(Error::NotConverged { .. })
        ));
    }
    assert!(observed_order([1.0, 2.0, 1.5], 2.0).is_err()); // oscillates
    assert!(observed_order([1.0, 1.1, 1.3], 2.0).is_err()); // diverges
    assert!(observed_order([1.0, 1.0, 1.0], 2.0).is_err()); // nothing to see
    assert!(richardson(&[1.0, 1.1], 2.0, None).is_err());
}

#[test]
fn quantiles_have_full_accuracy() {
    // scipy.stats.norm.ppf.
    for (p, z) in [(1e-12, -7.03448383), (0.3, -0.52440051), (0.9999, 3.71901649)] {
        assert_close(normal_quantile(p).unwrap(), z, 1e-8);
    }
    for p in [1e-300, 1e-20, 1e-3, 0.2, 0.5, 0.9] {
        assert_close(normal_cdf(normal_quantile(p).unwrap()), p, 1e-12);
    }
    assert!(normal_quantile(0.0).is_err() && normal_quantile(f64::NAN).is_err());
}

#[test]
fn no_digit_is_shown_that_its_error_does_not_support() {
    for (value, standard_error, shown) in [
        (9e-39, 2e-15, "0 ± 2.0e-15"),
        (1e-11, 5e-8, "0 ± 5.0e-8"),
        (-1e-11, 5e-8, "0 ± 5.0e-8"),
        (0.0, 5e-8, "0 ± 5.0e-8"),
        (7e-10, 5e-8, "1e-9 ± 5.0e-8"),
        (6.4e-9, 5e-8, "6e-9 ± 5.0e-8"),
        (-1e-9, 0.0056, "0.0000 ± 0.0056"),
        (0.00007, 0.0056, "0.0001 ± 0.0056"),
        (3e-12, 0.0, "3.000e-12"),
    ] {
        let estimate = Estimate {
            value,
            standard_error,
            samples: 1,
        };
        assert_eq!(estimate.to_string(), shown);
    }
}
