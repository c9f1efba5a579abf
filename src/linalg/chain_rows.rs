//! Many chains of equal length side by side: one sweep over the cells serves all rows.

use super::chain::Eliminated;

/// Solves (κ − L_j*) ρ_j = κ s_j for every row j of a block of chains.
///
/// Arrays are cell by cell, rows running fastest: entry (i, j) of a block of `rows` rows stands at i·rows + j.
/// `rates(i, up, down)` writes the rates i → i+1 and i → i−1 of all rows; up of the last cell and down of the first
/// must be zero.
///
/// # Method
/// The elimination of [`super::Chain::eliminate`] with constant killing rate κ, fused with the adjoint solve; the inner
/// loops run over rows and vectorise.
pub fn solve_adjoint_rows(
    rows: usize,
    killing: f64,
    source: &[f64],
    mut rates: impl FnMut(usize, &mut [f64], &mut [f64]),
) -> Vec<f64> {
    let cells = source.len() / rows;
    let mut rho = vec![0.0; source.len()];
    let mut share = vec![0.0; source.len()];
    let (mut up, mut down) = (vec![0.0; rows], vec![0.0; rows]);
    // Inverse pivot and killing of the previous cell, and the inflow it leaves.
    let (mut inverse, mut carried, mut inflow) = (vec![0.0; rows], vec![0.0; rows], vec![0.0; rows]);
    for i in 0..cells {
        rates(i, &mut up, &mut down);
        let range = i * rows..(i + 1) * rows;
        let (share, rho, source) = (&mut share[range.clone()], &mut rho[range.clone()], &source[range]);
        for j in 0..rows {
            let last = Eliminated {
                killing: carried[j],
                inverse_pivot: inverse[j],
            };
            let (handed, now) = last.next(up[j], down[j], killing);
            let value = (killing * source[j] + inflow[j]) * now.inverse_pivot;
            share[j] = handed;
            (inverse[j], carried[j]) = (now.inverse_pivot, now.killing);
            inflow[j] = up[j] * value;
            rho[j] = value;
        }
    }
    for i in (0..cells.saturating_sub(1)).rev() {
        let (left, right) = rho.split_at_mut((i + 1) * rows);
        let left = &mut left[i * rows..];
        let share = &share[(i + 1) * rows..(i + 2) * rows];
        for j in 0..rows {
            left[j] += share[j] * right[j];
        }
    }
    rho
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Chain;

    #[test]
    fn rows_agree_with_single_chains() {
        let (cells, rows) = (40, 3);
        let up = |i: usize, j: usize| {
            if i + 1 < cells {
                1.0 + (i * 7 + j) as f64 % 5.0
            } else {
                0.0
            }
        };
        let down = |i: usize, j: usize| {
            if i > 0 {
                0.5 + (i + 2 * j) as f64 % 3.0
            } else {
                0.0
            }
        };
        let source: Vec<f64> = (0..cells * rows).map(|k| (k % 11) as f64).collect();
        let all = solve_adjoint_rows(rows, 0.3, &source, |i, u, d| {
            for j in 0..rows {
                (u[j], d[j]) = (up(i, j), down(i, j));
            }
        });
        for j in 0..rows {
            let chain = Chain::new(
                (0..cells).map(|i| up(i, j)).collect(),
                (0..cells).map(|i| down(i, j)).collect(),
            )
            .unwrap();
            let rhs: Vec<f64> = (0..cells).map(|i| 0.3 * source[i * rows + j]).collect();
            let one = chain.eliminate(&[0.3; 40]).unwrap().solve_adjoint(&rhs).unwrap();
            for i in 0..cells {
                assert!((all[i * rows + j] / one[i] - 1.0).abs() < 1e-13);
            }
        }
    }
}
