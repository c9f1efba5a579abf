//! Limits of difference quotients that are even in their step.

/// lim f(h) as h → 0 of an f with an expansion in h², from steps that begin at `first`, with an estimate of its error; NaN when f is finite nowhere.
///
/// # Method
/// Neville's table over steps with the ratio 1.5, of which the entry is taken that differs least from both of its parents: truncation falls down the table
/// until rounding, which f amplifies, takes over. Which entry that is is a matter of luck, and its own difference no error; so nine tables with interleaved
/// steps are made, their median is the limit and the distance between their extremes the error. It fails where a derivative of f jumps within `first` of
/// zero.
///
/// # References
/// C. J. F. Ridders, Adv. Eng. Softw. 4, 75 (1982), for one table.
pub(crate) fn even_limit(first: f64, f: impl Fn(f64) -> f64) -> (f64, f64) {
    const TABLES: usize = 9;
    let shift = |k: usize| first / RATIO.powf(k as f64 / TABLES as f64);
    let mut limits: Vec<f64> = (0..TABLES).map(|k| best_entry(shift(k), &f)).collect();
    limits.sort_by(f64::total_cmp);
    (limits[TABLES / 2], limits[TABLES - 1] - limits[0])
}

/// Ratio of the steps.
const RATIO: f64 = 1.5;

fn best_entry(first: f64, f: impl Fn(f64) -> f64) -> f64 {
    const LEVELS: i32 = 10;
    let mut best = (f64::NAN, f64::INFINITY);
    let mut above: Vec<f64> = Vec::new();
    for level in 0..LEVELS {
        let mut row = vec![f(first / RATIO.powi(level))];
        let mut factor = 1.0;
        for (k, parent) in above.iter().enumerate() {
            factor *= RATIO * RATIO;
            let next = row[k] + (row[k] - parent) / (factor - 1.0);
            let change = (next - row[k]).abs().max((next - parent).abs());
            if change < best.1 {
                best = (next, change);
            }
            row.push(next);
        }
        above = row;
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function with its second derivative.
    type Known = (fn(f64) -> f64, fn(f64) -> f64);

    #[test]
    fn stated_errors_cover_second_derivatives() {
        let functions: [Known; 4] = [
            (f64::exp, f64::exp),
            (f64::sin, |x| -x.sin()),
            (
                |x| 1.0 / (1.0 + x * x),
                |x| (6.0 * x * x - 2.0) / (1.0 + x * x).powi(3),
            ),
            (|x| x.powi(4) / 4.0 - x * x / 2.0, |x| 3.0 * x * x - 1.0),
        ];
        let (mut missed, mut all) = (0, 0);
        for (f, second) in functions {
            for k in 0..200 {
                let (x, first) = (-2.0 + 0.02 * k as f64, 0.05 * (1.0 + (k % 17) as f64));
                let quotient = |h: f64| (f(x + h) + f(x - h) - 2.0 * f(x)) / (h * h);
                let (value, error) = even_limit(first, quotient);
                assert!(error < 1e-8, "{value} {error}");
                missed += usize::from((value - second(x)).abs() > error);
                all += 1;
            }
        }
        // one in a thousand and a half of independent tables
        assert!(missed <= 4, "{missed} of {all}");
        // Negative control: an odd power of the step is not extrapolated, and the error says so.
        let (value, error) = even_limit(1.0, |h| 1.0 + h);
        assert!((value - 1.0).abs() > 1e-4 && error > 1e-4, "{value} {error}");
        assert!(even_limit(1.0, |_| f64::NAN).0.is_nan());
    }
}
