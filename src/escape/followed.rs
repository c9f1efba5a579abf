//! Slow modes followed from grid to grid.
//!
//! ```text
//! overlap of modes f and g    |⟨f* g⟩|² / (⟨|f|²⟩ ⟨|g|²⟩),    ⟨ ⟩ the stationary mean on the finer grid
//! ```
//!
//! Modes are numbered by their eigenvalues, and the numbers of two modes may change with the cells where their rates cross. A mode of one grid
//! is the one of another grid with which it overlaps most.

use crate::grid::Grid;
use crate::observables::SlowMode;
use nalgebra::Complex;

/// The mode of a coarser grid that a mode continues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Followed {
    /// Its place among the modes of the coarser grid; none where that has no further mode.
    pub place: Option<usize>,
    /// Whether the two overlap by more than half: not where rates coincide, or a pair of rates has become complex between the grids.
    pub is_certain: bool,
}

/// A real mode, or the first of a complex pair.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unit {
    place: usize,
    is_pair: bool,
}

fn units(modes: &[SlowMode]) -> Vec<Unit> {
    let of = |(place, mode): (usize, &SlowMode)| {
        let is_pair = mode.eigenvalue.im != 0.0;
        (mode.eigenvalue.im >= 0.0).then_some(Unit { place, is_pair })
    };
    modes.iter().enumerate().filter_map(of).collect()
}

/// For each mode of the finer grid the mode of the coarser one that it continues; `weights` are the stationary probabilities of the finer cells.
pub(super) fn followed<const D: usize>(
    (coarse_grid, coarse): (&Grid<D>, &[SlowMode]),
    (fine_grid, fine): (&Grid<D>, &[SlowMode]),
    weights: &[f64],
) -> Vec<Followed> {
    // below this another mode may overlap as much
    const HALF: f64 = 0.5;
    let (olds, news) = (units(coarse), units(fine));
    let on_fine: Vec<Vec<Complex<f64>>> = olds
        .iter()
        .map(|old| refined(coarse_grid, &coarse[old.place].eigenfunction, fine_grid))
        .collect();
    let mut overlaps: Vec<(f64, usize, usize)> = Vec::new();
    for (n, new) in news.iter().enumerate() {
        for (o, old) in olds.iter().enumerate() {
            if new.is_pair == old.is_pair {
                let overlap = overlap(&fine[new.place].eigenfunction, &on_fine[o], weights);
                overlaps.push((overlap, n, o));
            }
        }
    }
    overlaps.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut partner: Vec<Option<usize>> = vec![None; news.len()];
    let mut is_taken = vec![false; olds.len()];
    for (overlap, n, o) in overlaps {
        if overlap > HALF && partner[n].is_none() && !is_taken[o] {
            partner[n] = Some(o);
            is_taken[o] = true;
        }
    }
    let lone = Followed {
        place: None,
        is_certain: false,
    };
    let mut followed = vec![lone; fine.len()];
    let mut is_free = vec![true; coarse.len()];
    for (new, old) in news.iter().zip(&partner) {
        let Some(old) = old.map(|o| olds[o]) else { continue };
        for k in 0..=usize::from(new.is_pair) {
            // a pair at the end of either list may lack its second
            if let (Some(mode), Some(free)) =
                (followed.get_mut(new.place + k), is_free.get_mut(old.place + k))
            {
                *mode = Followed {
                    place: Some(old.place + k),
                    is_certain: true,
                };
                *free = false;
            }
        }
    }
    // what is left keeps its order
    let mut left = (0..coarse.len()).filter(|place| is_free[*place]);
    for mode in followed.iter_mut().filter(|mode| mode.place.is_none()) {
        mode.place = left.next();
    }
    followed
}

/// A function on a coarse grid at the centres of a finer one.
fn refined<const D: usize>(coarse: &Grid<D>, f: &[Complex<f64>], fine: &Grid<D>) -> Vec<Complex<f64>> {
    (0..fine.cells())
        .map(|cell| {
            let shares = coarse.shares(fine.centre(cell));
            shares.into_iter().map(|(i, share)| f[i] * share).sum()
        })
        .collect()
}

fn overlap(f: &[Complex<f64>], g: &[Complex<f64>], weights: &[f64]) -> f64 {
    let mean = |f: &[Complex<f64>], g: &[Complex<f64>]| -> Complex<f64> {
        let terms = f.iter().zip(g).zip(weights).filter(|(_, w)| **w > 0.0);
        terms.map(|((f, g), w)| f.conj() * g * *w).sum()
    };
    let sizes = mean(f, f).re * mean(g, g).re;
    if sizes > 0.0 {
        mean(f, g).norm_sqr() / sizes
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Axis;

    fn mode(grid: &Grid<1>, rate: f64, frequency: f64, f: impl Fn(f64) -> Complex<f64>) -> SlowMode {
        SlowMode {
            eigenvalue: Complex::new(-rate, frequency),
            eigenfunction: grid.axes()[0].centres().iter().map(|x| f(*x)).collect(),
            residual: 0.0,
        }
    }

    fn grid(cells: usize) -> Grid<1> {
        Grid::new([Axis::uniform(-1.0, 1.0, cells).unwrap()])
    }

    fn real(f: impl Fn(f64) -> f64) -> impl Fn(f64) -> Complex<f64> {
        move |x| Complex::new(f(x), 0.0)
    }

    #[test]
    fn modes_that_cross_are_followed_by_their_shape() {
        let (coarse, fine) = (grid(20), grid(40));
        let (odd, even) = (|x: f64| (1.5 * x).sin(), |x: f64| (3.1 * x).cos());
        // the even mode is the slower one on the coarse grid, and of either sign
        let before = [
            mode(&coarse, 1.0, 0.0, real(|x| -even(x))),
            mode(&coarse, 1.1, 0.0, real(odd)),
        ];
        let after = [
            mode(&fine, 0.9, 0.0, real(odd)),
            mode(&fine, 1.0, 0.0, real(even)),
        ];
        let weights = vec![1.0 / 40.0; 40];
        let found = followed((&coarse, &before), (&fine, &after), &weights);
        assert_eq!(
            found.iter().map(|f| f.place).collect::<Vec<_>>(),
            [Some(1), Some(0)]
        );
        assert!(found.iter().all(|f| f.is_certain));
        // the negative control: by number the rates would go from 1.1 to 1.0 and from 1.0 to 0.9
        assert_ne!(found[0].place, Some(0));
    }

    #[test]
    fn pairs_follow_pairs_whatever_their_phase() {
        let (coarse, fine) = (grid(20), grid(40));
        let wave = |x: f64| Complex::new((2.0 * x).sin(), (3.0 * x).cos() - 0.047);
        let turned = move |x: f64| wave(x) * Complex::new(0.6, 0.8);
        let third = real(|x| (5.0 * x).sin());
        let before = [
            mode(&coarse, 1.0, 0.0, &third),
            mode(&coarse, 1.1, 0.5, turned),
            mode(&coarse, 1.1, -0.5, move |x| turned(x).conj()),
        ];
        let after = [
            mode(&fine, 1.0, 0.5, wave),
            mode(&fine, 1.0, -0.5, move |x| wave(x).conj()),
            mode(&fine, 1.1, 0.0, &third),
        ];
        let weights = vec![1.0 / 40.0; 40];
        let found = followed((&coarse, &before), (&fine, &after), &weights);
        let places: Vec<_> = found.iter().map(|f| f.place).collect();
        assert_eq!(places, [Some(1), Some(2), Some(0)]);
        // a pair of rates that was real before: in order, and not certain
        let split = [
            mode(&coarse, 1.0, 0.0, real(|x| (2.0 * x).sin())),
            mode(&coarse, 1.2, 0.0, real(|x| (3.0 * x).cos())),
        ];
        let found = followed((&coarse, &split), (&fine, &after[..2]), &weights);
        assert_eq!(
            found.iter().map(|f| f.place).collect::<Vec<_>>(),
            [Some(0), Some(1)]
        );
        assert!(found.iter().all(|f| !f.is_certain));
    }
}
