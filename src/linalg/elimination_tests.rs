//! Chains in the plane against references that share no code with the elimination.

use super::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Sum and rest of two doubles: 106 bits, enough to judge 53.
#[derive(Clone, Copy)]
struct Double(f64, f64);

impl Double {
    fn sum(self, b: Self) -> Self {
        let s = self.0 + b.0;
        let t = s - self.0;
        let e = (self.0 - (s - t)) + (b.0 - t) + self.1 + b.1;
        Self(s + e, e - ((s + e) - s))
    }
    fn times(self, b: Self) -> Self {
        let p = self.0 * b.0;
        let e = self.0.mul_add(b.0, -p) + self.0 * b.1 + self.1 * b.0;
        Self(p + e, e - ((p + e) - p))
    }
    fn over(self, b: Self) -> Self {
        let q = self.0 / b.0;
        let r = self.sum(b.times(Self(-q, 0.0)));
        let q2 = r.0 / b.0;
        Self(q, 0.0).sum(Self(q2, 0.0))
    }
}

/// Dense subtraction-free solve in double-double arithmetic, states in their natural order.
fn reference(rates: &SparseRates, killing: &[f64], rhs: &[f64], adjoint: bool) -> Vec<f64> {
    let n = rates.states();
    let mut r = vec![vec![Double(0.0, 0.0); n + 1]; n];
    for i in 0..n {
        rates
            .transitions_from(i)
            .for_each(|(j, v)| r[i][j] = Double(v, 0.0));
        r[i][n] = Double(killing[i], 0.0);
    }
    let mut x: Vec<Double> = rhs.iter().map(|&v| Double(v, 0.0)).collect();
    let mut exit = vec![Double(0.0, 0.0); n];
    for p in 0..n {
        exit[p] = r[p][p + 1..].iter().fold(Double(0.0, 0.0), |a, &b| a.sum(b));
        for i in p + 1..n {
            for j in p + 1..=n {
                if i != j {
                    r[i][j] = r[i][j].sum(r[i][p].times(r[p][j]).over(exit[p]));
                }
            }
            let coupling = if adjoint { r[p][i] } else { r[i][p] };
            x[i] = x[i].sum(coupling.times(x[p]).over(exit[p]));
        }
    }
    for p in (0..n).rev() {
        for i in p + 1..n {
            let coupling = if adjoint { r[i][p] } else { r[p][i] };
            x[p] = x[p].sum(coupling.times(x[i]));
        }
        x[p] = x[p].over(exit[p]);
    }
    x.iter().map(|v| v.0).collect()
}

/// A chain on an nx × ny grid over a rugged landscape with energies up to `barrier`, nine neighbours,
/// with a rotational part that breaks detailed balance.
fn rugged(nx: i32, ny: i32, barrier: f64, seed: u64) -> (SparseRates, Vec<[i32; 2]>) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let cells: Vec<[i32; 2]> = (0..ny).flat_map(|j| (0..nx).map(move |i| [i, j])).collect();
    let energy: Vec<f64> = cells
        .iter()
        .map(|&[i, j]| {
            let (x, y) = (f64::from(i) / f64::from(nx - 1), f64::from(j) / f64::from(ny - 1));
            let wells = (std::f64::consts::TAU * x).cos().powi(2) * (1.0 - 0.3 * y);
            barrier * (1.0 - wells) + 0.5 * random.random::<f64>()
        })
        .collect();
    let mut transitions = Vec::new();
    for (a, &[i, j]) in cells.iter().enumerate() {
        for (b, &[k, l]) in cells.iter().enumerate() {
            if a != b && (i - k).abs() <= 1 && (j - l).abs() <= 1 {
                let rate = (0.5 * (energy[a] - energy[b])).exp() * (1.0 + random.random::<f64>());
                transitions.push((a, b, rate));
            }
        }
    }
    (
        SparseRates::from_transitions(cells.len(), transitions).unwrap(),
        cells,
    )
}

fn largest_relative_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| (x / y - 1.0).abs())
        .fold(0.0, f64::max)
}

/// Entrywise bound for a few hundred states: each of the ~n nested sums adds a rounding error at most.
const ROUNDING: f64 = 2e-14;

#[test]
fn keeps_relative_accuracy_at_any_barrier() {
    for (barrier, seed) in [(5.0, 1), (30.0, 2), (100.0, 3), (300.0, 4)] {
        let (rates, cells) = rugged(17, 9, barrier, seed);
        let killing: Vec<f64> = cells.iter().map(|c| if c[0] == 16 { 1.0 } else { 0.0 }).collect();
        let rhs: Vec<f64> = (0..rates.states()).map(|i| f64::from(i as u32 % 3)).collect();
        let orders = [
            NestedDissection::geometric(&rates, &cells).unwrap(),
            NestedDissection::graph(&rates).unwrap(),
        ];
        for order in orders {
            let factors = Elimination::new(&rates, &killing, Arc::new(order)).unwrap();
            let forward = factors.solve(&rhs).unwrap();
            let adjoint = factors.solve_adjoint(&rhs).unwrap();
            let worst = largest_relative_difference(&forward, &reference(&rates, &killing, &rhs, false)).max(
                largest_relative_difference(&adjoint, &reference(&rates, &killing, &rhs, true)),
            );
            println!(
                "barrier {barrier}: relative error {worst:.1e}, largest entry {:e}",
                forward[0]
            );
            assert!(worst < ROUNDING, "barrier {barrier}: {worst:e}");
        }
    }
}

#[test]
fn wide_fronts_match_the_exact_recursion() {
    // Separable chain: the time to leave through x = nx does not depend on y and follows the birth-death sum.
    let (nx, ny, barrier) = (70i32, 80i32, 200.0);
    let energy = |i: i32| {
        barrier
            * (std::f64::consts::PI * f64::from(i) / f64::from(nx))
                .sin()
                .powi(2)
    };
    let rate = |i: i32, k: i32| (0.5 * (energy(i) - energy(k))).exp();
    let cells: Vec<[i32; 2]> = (0..ny).flat_map(|j| (0..nx).map(move |i| [i, j])).collect();
    let mut transitions = Vec::new();
    let mut killing = vec![0.0; cells.len()];
    for (a, &[i, j]) in cells.iter().enumerate() {
        // reach three along y, diagonal jumps: wide separators, x-marginal unchanged
        for (k, l, share) in [
            (i + 1, j + 1, 0.25),
            (i + 1, j, 0.75),
            (i - 1, j - 2, 0.5),
            (i - 1, j, 0.5),
        ] {
            let l = l.rem_euclid(ny);
            if k == nx {
                killing[a] += share * rate(i, k);
            } else if k >= 0 {
                transitions.push((a, (l * nx + k) as usize, share * rate(i, k)));
            }
        }
        for (l, r) in [(j + 3, 0.7), (j - 1, 0.4)] {
            transitions.push((a, (l.rem_euclid(ny) * nx + i) as usize, r));
        }
    }
    let rates = SparseRates::from_transitions(cells.len(), transitions).unwrap();
    let order = Arc::new(NestedDissection::geometric(&rates, &cells).unwrap());
    let solve = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let factors = pool.install(|| Elimination::new(&rates, &killing, order.clone()).unwrap());
        factors.solve(&vec![1.0; cells.len()]).unwrap()
    };
    let (time, again) = (solve(1), solve(2));
    assert!(
        time.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()),
        "depends on threads"
    );
    // τ_i − τ_{i+1} = Σ_{m ≤ i} exp(−(E_m − E_i))/r_{i,i+1}
    let mut exact = vec![0.0; nx as usize];
    let mut tail = 0.0;
    for i in (0..nx).rev() {
        tail += (0..=i).map(|m| (energy(i) - energy(m)).exp()).sum::<f64>() / rate(i, i + 1);
        exact[i as usize] = tail;
    }
    let exact: Vec<f64> = cells.iter().map(|c| exact[c[0] as usize]).collect();
    let worst = largest_relative_difference(&time, &exact);
    println!(
        "{} states, largest time {:e}, relative error {worst:.1e}",
        cells.len(),
        exact[0]
    );
    // exp of 200 carries 200 ulp into the reference's rates
    assert!(worst < 1e-12, "{worst:e}");
}

#[test]
fn chain_of_deeptime() {
    let p = [
        [0.8, 0.15, 0.05, 0.0, 0.0],
        [0.1, 0.75, 0.05, 0.05, 0.05],
        [0.05, 0.1, 0.8, 0.0, 0.05],
        [0.0, 0.2, 0.0, 0.8, 0.0],
        [0.0, 0.02, 0.02, 0.0, 0.96],
    ];
    let list = (0..5).flat_map(|i| {
        (0..5)
            .filter(move |&j| j != i && p[i][j] > 0.0)
            .map(move |j| (i, j, p[i][j]))
    });
    let chain = SparseRates::from_transitions(5, list).unwrap();
    let order = |c: &SparseRates| Arc::new(NestedDissection::graph(c).unwrap());
    let stationary: Vec<f64> = Elimination::stationary_logarithm(&chain, order(&chain))
        .unwrap()
        .iter()
        .map(|v| v.exp())
        .collect();
    let inner = chain.restrict(&[false, true, true, true, false]).unwrap();
    let factors = Elimination::new(&inner.rates, &inner.killing, order(&inner.rates)).unwrap();
    let to_b: Vec<f64> = inner.states.iter().map(|&i| p[i][4]).collect();
    let committor = factors.solve(&to_b).unwrap();
    // published to eight digits, or ten for the flux
    for (q, published) in committor.iter().zip([0.35714286, 0.42857143, 0.35714286]) {
        assert!((q / published - 1.0).abs() < 1e-8, "{q}");
    }
    let q = [0.0, committor[0], committor[1], committor[2], 1.0];
    let flux: f64 = (1..5).map(|j| stationary[0] * p[0][j] * q[j]).sum();
    assert!((flux / 0.0108050847458 - 1.0).abs() < 1e-11, "{flux}");
    // backward committor from the time-reversed chain gives the time spent as "last came from A"
    let reversed_committor: Vec<f64> = {
        let from_a: Vec<f64> = inner.states.iter().map(|&i| stationary[0] * p[0][i]).collect();
        let occupation = factors.solve_adjoint(&from_a).unwrap();
        occupation
            .iter()
            .zip(&inner.states)
            .map(|(o, &i)| o / stationary[i])
            .collect()
    };
    let from_a: f64 = stationary[0]
        + inner
            .states
            .iter()
            .zip(&reversed_committor)
            .map(|(&i, c)| stationary[i] * c)
            .sum::<f64>();
    assert!((flux / from_a / 0.0272727273 - 1.0).abs() < 1e-8);
    let open = chain.restrict(&[true, true, true, true, false]).unwrap();
    let factors = Elimination::new(&open.rates, &open.killing, order(&open.rates)).unwrap();
    let time = factors.solve(&[1.0; 4]).unwrap();
    assert!((time[0] / 36.6666667 - 1.0).abs() < 1e-9, "{}", time[0]);
}

#[test]
fn stationary_law_of_a_reversible_chain_is_boltzmann() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    for span in [20.0, 600.0] {
        let n = 30i32;
        let cells: Vec<[i32; 2]> = (0..n).flat_map(|j| (0..n).map(move |i| [i, j])).collect();
        let centre = f64::from(n - 1) / 2.0;
        let energy: Vec<f64> = cells
            .iter()
            .map(|c| {
                let r2 = c
                    .iter()
                    .map(|&i| (f64::from(i) / centre - 1.0).powi(2))
                    .sum::<f64>();
                span * r2 / 2.0 + random.random::<f64>()
            })
            .collect();
        let mut transitions = Vec::new();
        for (a, x) in cells.iter().enumerate() {
            for (b, y) in cells.iter().enumerate() {
                if (x[0] - y[0]).abs() + (x[1] - y[1]).abs() == 1 {
                    transitions.push((a, b, (0.5 * (energy[a] - energy[b])).exp()));
                }
            }
        }
        let rates = SparseRates::from_transitions(cells.len(), transitions).unwrap();
        let order = Arc::new(NestedDissection::geometric(&rates, &cells).unwrap());
        let logarithm = Elimination::stationary_logarithm(&rates, order).unwrap();
        let shift = logarithm[0] + energy[0];
        let worst = logarithm
            .iter()
            .zip(&energy)
            .map(|(l, e)| (l + e - shift).abs())
            .fold(0.0, f64::max);
        // absolute error of a logarithm of size 600 with rates known to 300 ulp
        assert!(worst < 2e-12, "span {span}: {worst:e}");
        let total: f64 = logarithm.iter().map(|l| l.exp()).sum();
        assert!((total - 1.0).abs() < 1e-12);
    }
}

#[test]
fn refuses_what_has_no_answer() {
    let chain = SparseRates::from_transitions(3, [(0, 1, 1.0), (1, 0, 1.0), (2, 1, 1.0)]).unwrap();
    let order = Arc::new(NestedDissection::graph(&chain).unwrap());
    let killed = |k: &[f64]| Elimination::new(&chain, k, order.clone());
    assert!(matches!(killed(&[0.0, 0.0, 1.0]), Err(Error::Unreachable { .. })));
    assert!(matches!(killed(&[0.0; 3]), Err(Error::Unreachable { .. })));
    assert!(matches!(
        killed(&[0.0, -1.0, 0.0]),
        Err(Error::InvalidParameter { .. })
    ));
    assert!(matches!(
        killed(&[0.0, f64::NAN, 0.0]),
        Err(Error::InvalidParameter { .. })
    ));
    assert!(matches!(
        killed(&[0.0, 1e-308, 0.0]),
        Err(Error::NotFinite { .. })
    ));
    assert!(killed(&[1.0]).is_err());
    let factors = killed(&[0.0, 1e-280, 0.0]).unwrap();
    assert!(matches!(factors.solve(&[1e100; 3]), Err(Error::NotFinite { .. })));
    assert!(factors.solve(&[1.0]).is_err());
    assert!(matches!(
        Elimination::stationary_logarithm(&chain, order),
        Err(Error::Unreachable { .. })
    ));
}

#[test]
fn a_single_state_is_a_chain() {
    let chain = SparseRates::from_transitions(1, []).unwrap();
    let order = Arc::new(NestedDissection::graph(&chain).unwrap());
    assert_eq!(
        Elimination::new(&chain, &[2.0], order.clone())
            .unwrap()
            .solve(&[1.0])
            .unwrap(),
        [0.5]
    );
    assert_eq!(Elimination::stationary_logarithm(&chain, order).unwrap(), [0.0]);
}
