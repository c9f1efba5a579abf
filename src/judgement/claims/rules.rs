//! The rules: from numbers to a verdict.

use super::claim::Verdict;

/// Largest share of runs not frozen at their end for which a row counts as frozen.
pub(super) const FROZEN: f64 = 0.01;
/// Largest share of runs that never left their start for which a row counts as free.
pub(super) const TRAPPED: f64 = 0.01;
/// Standard errors by which a sequence may step back and still count as rising.
pub(super) const SLACK: f64 = 3.0;
/// Rise of a probability over a whole range below which it is called none.
pub(super) const RISE: f64 = 0.01;
/// Spread of scaled freezing times up to which cells are said to collapse.
pub(super) const COLLAPSE: f64 = 0.1;

/// Whether values rise from each to the next, up to `SLACK` combined standard errors, and overall by more than that.
pub(super) fn rises(values: &[f64], errors: &[f64]) -> bool {
    let combined = |i: usize, j: usize| SLACK * errors[i].hypot(errors[j]);
    let last = values.len().saturating_sub(1);
    values.len() > 1
        && (0..last).all(|k| values[k + 1] - values[k] > -combined(k, k + 1))
        && values[last] - values[0] > combined(0, last)
}

/// Whether probabilities rise, and by more than [`RISE`] in all.
pub(super) fn selects(values: &[f64], errors: &[f64]) -> bool {
    rises(values, errors) && values[values.len() - 1] - values[0] > RISE
}

/// Whether values fall from each to the next by more than their errors.
pub(super) fn falls(values: &[f64], errors: &[f64]) -> bool {
    let pairs = values.windows(2).zip(errors.windows(2));
    values.len() > 1
        && pairs
            .into_iter()
            .all(|(v, e)| v[0] - v[1] > SLACK * e[0].hypot(e[1]))
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

/// T2: the flat valley has at least γ/(1+γ), up to rounding; the paper's continuous potential alone would allow one half.
pub(super) fn favours_flat(lowest_p: f64, bound: f64, lowest_continuous: f64) -> Verdict {
    const ROUNDING: f64 = 1e-9;
    match (
        lowest_p >= bound - ROUNDING,
        lowest_continuous >= bound - ROUNDING,
    ) {
        (true, true) => Verdict::Reproduced,
        (true, false) => Verdict::CorrectedTheory,
        _ => Verdict::NotSupported,
    }
}

/// T3: falls with the noise; by the paper's formula or not.
pub(super) fn static_paradox(falls: bool, formula_error: Option<f64>) -> Verdict {
    const CLOSE: f64 = 1e-3;
    match (falls, formula_error) {
        (false, _) => Verdict::NotSupported,
        (true, Some(error)) if error > CLOSE => Verdict::CorrectedTheory,
        _ => Verdict::Reproduced,
    }
}

/// T4: rises with Δ; collapses on ησ up to the learning rate `collapsed`, if there is one, of the largest that was tried.
pub(super) fn delayed(rise: bool, collapsed: Option<f64>, largest: f64) -> Verdict {
    match (rise, collapsed) {
        (true, Some(bound)) if bound >= largest => Verdict::Reproduced,
        (true, Some(_)) => Verdict::InRegime,
        _ => Verdict::NotSupported,
    }
}

/// T6: without a growing barrier at least a third of the runs still hop at the end; with fixed flatness all freeze,
/// at a y shifted by less than a quarter.
pub(super) fn cause(unfrozen_barrier: f64, unfrozen_flatness: f64, largest_shift: f64) -> Verdict {
    yes(unfrozen_barrier > 1.0 / 3.0 && unfrozen_flatness <= FROZEN && largest_shift < 0.25)
}

/// T7: isotropic noise selects alike at every noise strength, exactly or to within [`RISE`], and freezes later with more noise.
pub(super) fn isotropic(p: &[f64], errors: &[f64], y: &[f64]) -> Verdict {
    let (low, high) = p.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| {
        (l.min(*p), h.max(*p))
    });
    let error = errors.iter().fold(0.0_f64, |m, e| m.max(*e));
    let is_delayed = y.len() > 1 && y.windows(2).all(|y| y[1] > y[0]);
    match (is_delayed, high - low) {
        (true, spread) if spread <= SLACK * error => Verdict::Reproduced,
        (true, spread) if spread < RISE => Verdict::InRegime,
        _ => Verdict::NotSupported,
    }
}

/// T9: P falls, y rises and times collapse at every power; P_flat rises at each, or at some of them without falling at another.
pub(super) fn robust(powers: &[Robustness]) -> Verdict {
    let holds = powers
        .iter()
        .all(|p| p.falls && p.delayed && p.collapses && !p.loses);
    match (holds, powers.iter().all(|p| p.selects)) {
        (true, true) => Verdict::Reproduced,
        (true, false) => Verdict::InRegime,
        _ => Verdict::NotSupported,
    }
}

/// What one power of the noise keeps.
pub(super) struct Robustness {
    /// The static P falls with the noise (T3).
    pub falls: bool,
    /// Freezing comes later with more noise (T4).
    pub delayed: bool,
    /// Freezing times collapse on ησ (T4).
    pub collapses: bool,
    /// The final P rises (T5).
    pub selects: bool,
    /// The final P falls beyond its errors.
    pub loses: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_follow_the_numbers() {
        use Verdict::{CorrectedTheory, InRegime, NotSupported, Reproduced};
        assert_eq!(exploration(&[1.0, 2.0], &[0.0, 0.0], &[0.4, 0.9]), Reproduced);
        assert_eq!(exploration(&[1.0, 2.0], &[0.0, 0.1], &[0.4, 0.9]), NotSupported);
        assert_eq!(favours_flat(0.61, 0.6, 0.51), CorrectedTheory);
        assert_eq!(favours_flat(0.61, 0.6, 0.6), Reproduced);
        assert_eq!(favours_flat(0.59, 0.6, 0.51), NotSupported);
        assert_eq!(static_paradox(true, None), Reproduced);
        assert_eq!(static_paradox(true, Some(0.02)), CorrectedTheory);
        assert_eq!(static_paradox(false, Some(0.0)), NotSupported);
        assert_eq!(delayed(true, Some(0.03), 0.1), InRegime);
        assert_eq!(delayed(true, Some(0.1), 0.1), Reproduced);
        assert_eq!(delayed(true, None, 0.1), NotSupported);
        assert_eq!(delayed(false, Some(0.1), 0.1), NotSupported);
        assert_eq!(cause(0.4, 0.0, 0.1), Reproduced);
        assert_eq!(cause(0.1, 0.0, 0.1), NotSupported);
        assert_eq!(cause(0.4, 0.2, 0.1), NotSupported);
        assert_eq!(isotropic(&[0.5517, 0.5517], &[1e-5; 2], &[1.0, 2.0]), Reproduced);
        assert_eq!(isotropic(&[0.5505, 0.5515], &[1e-5; 2], &[1.0, 2.0]), InRegime);
        assert_eq!(isotropic(&[0.5517, 0.52], &[1e-5; 2], &[1.0, 2.0]), NotSupported);
        assert_eq!(
            isotropic(&[0.5517, 0.5517], &[1e-5; 2], &[2.0, 1.0]),
            NotSupported
        );
        let all = || Robustness {
            falls: true,
            delayed: true,
            collapses: true,
            selects: true,
            loses: false,
        };
        let flat = || Robustness {
            selects: false,
            ..all()
        };
        assert_eq!(robust(&[all()]), Reproduced);
        assert_eq!(robust(&[all(), flat()]), InRegime);
        for broken in [
            Robustness {
                loses: true,
                ..flat()
            },
            Robustness {
                falls: false,
                ..all()
            },
            Robustness {
                delayed: false,
                ..all()
            },
            Robustness {
                collapses: false,
                ..all()
            },
        ] {
            assert_eq!(robust(&[all(), broken]), NotSupported);
        }
    }

    #[test]
    fn a_rise_must_exceed_its_errors() {
        assert!(rises(&[1.0, 1.2, 1.1, 2.0], &[0.1; 4]));
        assert!(!rises(&[1.0, 1.1, 1.2], &[0.1; 3]));
        assert!(!rises(&[1.0, 2.0, 1.2], &[0.1; 3]));
        assert!(!rises(&[1.0], &[0.1]) && !rises(&[], &[]));
        assert!(falls(&[3.0, 2.0, 1.0], &[0.1; 3]) && !falls(&[3.0, 2.9, 1.0], &[0.1; 3]));
        assert!(!falls(&[1.0], &[0.0]));
        assert!(selects(&[0.9, 0.95], &[1e-6; 2]) && !selects(&[0.5505, 0.5515], &[1e-6; 2]));
    }
}
