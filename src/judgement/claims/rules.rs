//! The rules: from numbers to a verdict.

use super::claim::Verdict;

/// Largest share of runs not frozen at their end for which a row counts as frozen.
pub(super) const FROZEN: f64 = 0.01;
/// Standard errors by which a sequence may step back and still count as rising.
pub(super) const SLACK: f64 = 3.0;

/// Whether values rise from each to the next, up to `SLACK` combined standard errors, and overall by more than that.
pub(super) fn rises(values: &[f64], errors: &[f64]) -> bool {
    let combined = |i: usize, j: usize| SLACK * errors[i].hypot(errors[j]);
    let last = values.len() - 1;
    values.len() > 1
        && (0..last).all(|k| values[k + 1] - values[k] > -combined(k, k + 1))
        && values[last] - values[0] > combined(0, last)
}

pub(super) fn falls(values: &[f64]) -> bool {
    values.windows(2).all(|v| v[1] < v[0])
}

pub(super) fn yes(holds: bool) -> Verdict {
    if holds {
        Verdict::Reproduced
    } else {
        Verdict::NotSupported
    }
}

/// T1: hops into the flat valley early, none at the end.
pub(super) fn exploration(early: &[f64], late: &[f64], reached: &[f64]) -> Verdict {
    yes(early.iter().all(|h| *h > 0.0) && late.iter().all(|h| *h == 0.0) && reached.iter().all(|r| *r > 0.0))
}

/// T2: the flat valley has at least γ/(1+γ); the paper's continuous potential alone would allow one half.
pub(super) fn favours_flat(lowest_p: f64, bound: f64, lowest_continuous: f64) -> Verdict {
    match (lowest_p >= bound, lowest_continuous >= bound) {
        (true, true) => Verdict::Reproduced,
        (true, false) => Verdict::CorrectedTheory,
        _ => Verdict::NotSupported,
    }
}

/// T4: rises with Δ; collapses on ησ to within 10 %, over the whole range of η or only for small η.
pub(super) fn delayed(rise: bool, spread_all: f64, spread_small: f64) -> Verdict {
    const COLLAPSE: f64 = 0.1;
    match (rise, spread_all <= COLLAPSE, spread_small <= COLLAPSE) {
        (true, true, _) => Verdict::Reproduced,
        (true, false, true) => Verdict::InRegime,
        _ => Verdict::NotSupported,
    }
}

/// T6: without a growing barrier at least a third of the runs still hop at the end; with fixed flatness all freeze,
/// at a y shifted by less than a quarter.
pub(super) fn cause(unfrozen_barrier: f64, unfrozen_flatness: f64, largest_shift: f64) -> Verdict {
    yes(unfrozen_barrier > 1.0 / 3.0 && unfrozen_flatness <= FROZEN && largest_shift < 0.25)
}

/// T7: isotropic noise selects by width alone, x1/(x1+x2), at every noise strength, and freezes later with more noise.
pub(super) fn isotropic(p: &[f64], expected: f64, y: &[f64]) -> Verdict {
    yes(p.iter().all(|p| (p - expected).abs() < 0.003) && y.windows(2).all(|y| y[1] > y[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_follow_the_numbers() {
        assert_eq!(
            exploration(&[1.0, 2.0], &[0.0, 0.0], &[0.4, 0.9]),
            Verdict::Reproduced
        );
        assert_eq!(
            exploration(&[1.0, 2.0], &[0.0, 0.1], &[0.4, 0.9]),
            Verdict::NotSupported
        );
        assert_eq!(favours_flat(0.61, 0.6, 0.51), Verdict::CorrectedTheory);
        assert_eq!(favours_flat(0.61, 0.6, 0.6), Verdict::Reproduced);
        assert_eq!(favours_flat(0.59, 0.6, 0.51), Verdict::NotSupported);
        assert_eq!(delayed(true, 0.4, 0.05), Verdict::InRegime);
        assert_eq!(delayed(true, 0.05, 0.05), Verdict::Reproduced);
        assert_eq!(delayed(true, 0.4, 0.2), Verdict::NotSupported);
        assert_eq!(delayed(false, 0.05, 0.05), Verdict::NotSupported);
        assert_eq!(cause(0.4, 0.0, 0.1), Verdict::Reproduced);
        assert_eq!(cause(0.1, 0.0, 0.1), Verdict::NotSupported);
        assert_eq!(cause(0.4, 0.2, 0.1), Verdict::NotSupported);
        assert_eq!(
            isotropic(&[0.5517, 0.5512], 0.5517, &[1.0, 2.0]),
            Verdict::Reproduced
        );
        assert_eq!(
            isotropic(&[0.5517, 0.52], 0.5517, &[1.0, 2.0]),
            Verdict::NotSupported
        );
        assert_eq!(
            isotropic(&[0.5517, 0.5512], 0.5517, &[2.0, 1.0]),
            Verdict::NotSupported
        );
    }

    #[test]
    fn a_rise_must_exceed_its_errors() {
        assert!(rises(&[1.0, 1.2, 1.1, 2.0], &[0.1; 4]));
        assert!(!rises(&[1.0, 1.1, 1.2], &[0.1; 3]));
        assert!(!rises(&[1.0, 2.0, 1.2], &[0.1; 3]));
        assert!(!rises(&[1.0], &[0.1]));
        assert!(falls(&[3.0, 2.0, 1.0]) && !falls(&[3.0, 3.0, 1.0]));
    }
}
