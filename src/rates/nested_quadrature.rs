//! Nested log-domain integrals of scale and speed along a row of panels.

use super::panel::Panel;
use crate::math::gauss_legendre::GaussLegendre;
use crate::math::log_domain::log_add_exp;

/// Which density is integrated first.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Inner {
    /// Inner m = e^{−ψ} D^{α−1}, outer s = e^ψ D^{−α}: passage to the right end from a reflecting left end.
    Speed,
    /// Inner s, outer m: the part of an exit time between an absorbing left end and the start.
    Scale,
}

/// Logarithms of the integrals over a row of panels.
#[derive(Clone, Copy)]
pub(super) struct NestedIntegrals {
    /// ψ(right) − ψ(left), ψ = −∫ b/D, with the sign turned for [`Inner::Scale`].
    pub potential: f64,
    /// ln of the inner integral over the row, times e^{ψ(right)}.
    pub inner: f64,
    /// ln ∫_start^right outer(x) ∫_left^x inner(u) du dx.
    pub mean: f64,
    /// ln ∫_start^right s(x) ∫_left^x 2 s(u) M(u)² du dx, the variance of the passage (Speed only).
    pub variance: f64,
}

/// Integrates along `panels`; the outer integral begins at `start`, an end of a panel.
///
/// On a panel all exponentials are taken relative to ψ at its left end. `λ` = ln(inner e^ψ) and
/// `κ` = ln(N e^ψ) are carried from panel to panel, so that no large potential is ever exponentiated.
pub(super) fn nested_integrals<'a>(
    panels: impl IntoIterator<Item = &'a Panel>,
    start: f64,
    inner: Inner,
) -> NestedIntegrals {
    let rule = GaussLegendre::get();
    let (mut lambda, mut kappa) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let mut result = NestedIntegrals {
        potential: 0.0,
        inner: 0.0,
        mean: f64::NEG_INFINITY,
        variance: f64::NEG_INFINITY,
    };
    let speed = inner == Inner::Speed;
    for panel in panels {
        let half = panel.half_width;
        // e^ψ is continuous nowhere but in what has been integrated so far
        let jump = if speed { panel.jump } else { -panel.jump };
        lambda += jump;
        kappa += jump;
        result.potential += jump;
        let direction = if speed { -half } else { half };
        let exponential = rule.cumulative(&panel.ratio).map(|v| (direction * v).exp());
        let rise = direction * rule.integral(&panel.ratio);

        let mut density = exponential.map(|e| 1.0 / e);
        // s = e^ψ D^{−α}, m = e^{−ψ} D^{α−1}
        let as_scale = |values: &mut [f64]| values.iter_mut().zip(&panel.weight).for_each(|(v, w)| *v *= w);
        let as_speed = |values: &mut [f64]| {
            let weights = panel.inverse.iter().zip(&panel.weight);
            values
                .iter_mut()
                .zip(weights)
                .for_each(|(v, (inverse, w))| *v *= inverse / w);
        };
        if speed {
            as_speed(&mut density);
        } else {
            as_scale(&mut density);
        }
        let increment = half * rule.integral(&density);
        let sigma = lambda.max(increment.ln());
        let (base, unit) = ((lambda - sigma).exp(), (-sigma).exp());
        let mu = rule.cumulative(&density).map(|v| base + unit * half * v);

        let mut outer = exponential;
        if speed {
            as_scale(&mut outer);
        } else {
            as_speed(&mut outer);
        }
        let active = panel.left >= start;
        if active {
            let mut product = outer;
            for (p, m) in product.iter_mut().zip(&mu) {
                *p *= m;
            }
            result.mean = log_add_exp(result.mean, sigma + (half * rule.integral(&product)).ln());
        }
        if speed {
            let mut source = exponential;
            for (s, m) in source.iter_mut().zip(&mu) {
                *s *= 2.0 * m * m;
            }
            as_scale(&mut source);
            let increment = half * rule.integral(&source);
            let rho = kappa.max(2.0 * sigma + increment.ln());
            let (base, unit) = ((kappa - rho).exp(), (2.0 * sigma - rho).exp());
            if active {
                let mut product = rule.cumulative(&source).map(|v| base + unit * half * v);
                for (p, e) in product.iter_mut().zip(&exponential) {
                    *p *= e;
                }
                as_scale(&mut product);
                result.variance = log_add_exp(result.variance, rho + (half * rule.integral(&product)).ln());
            }
            kappa = rho + (base + unit * increment).ln() + rise;
        }
        lambda = sigma + (base + unit * increment).ln() + rise;
        result.potential += rise;
    }
    result.inner = lambda;
    result
}
