//! Correlations of pairs.

/// Pearson's correlation of pairs, none when either member does not vary.
///
/// # Examples
/// ```
/// use freezeout::statistics::correlation;
/// assert_eq!(correlation(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), Some(1.0));
/// assert_eq!(correlation(&[(0.0, 1.0), (1.0, 1.0)]), None);
/// ```
pub fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        xx += (a - x) * (a - x);
        yy += (b - y) * (b - y);
        xy += (a - x) * (b - y);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

/// Spearman's rank correlation: that of the ranks, equal values sharing the mean of theirs.
///
/// # References
/// C. Spearman, American Journal of Psychology 15 (1904) 72.
///
/// # Examples
/// ```
/// use freezeout::statistics::rank_correlation;
/// assert_eq!(rank_correlation(&[(0.0, 1.0), (1.0, 30.0), (2.0, 500.0)]), Some(1.0));
/// assert_eq!(rank_correlation(&[(0.0, 2.0), (1.0, 1.0), (1.0, 1.0), (2.0, 0.0)]), Some(-1.0));
/// ```
pub fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let ranked: Vec<(f64, f64)> = ranks(&x).into_iter().zip(ranks(&y)).collect();
    correlation(&ranked)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let equal = order[first..]
            .iter()
            .take_while(|k| values[**k] == values[order[first]]);
        let count = equal.count().max(1);
        for k in &order[first..first + count] {
            ranks[*k] = first as f64 + 0.5 * (count - 1) as f64;
        }
        first += count;
    }
    ranks
}
