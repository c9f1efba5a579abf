//! Drift and tensor at the centres of the cells.

use super::cells::Cells;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::{LANES, Point, PointBlock, Tensor};
use rayon::prelude::*;

/// Drift and tensor at a cell centre.
pub(super) type Local<const D: usize> = (Point<D>, Tensor<D>);

/// Whether an entry beside the diagonal is not zero.
pub(super) fn is_off_diagonal<const D: usize>(tensor: &Tensor<D>) -> bool {
    (0..D).any(|r| (0..D).any(|c| r != c && tensor[(r, c)] != 0.0))
}

/// Drift and tensor at the centre of each state, checked to be finite.
pub(super) fn local_coefficients<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
) -> Result<Vec<Local<D>>> {
    let mut local = vec![(Point::zeros(), Tensor::zeros()); cells.len()];
    let blocks = local.par_chunks_mut(LANES).zip(cells.cell_of.par_chunks(LANES));
    blocks.try_for_each(|(local, block)| {
        let indices = cells.indices(block);
        at_centres(diffusion, &cells.centres(&indices[..block.len()]), local)
    })?;
    Ok(local)
}

/// Drift and tensor at the first points of a block, checked to be finite.
pub(super) fn at_centres<const D: usize>(
    diffusion: &impl Diffusion<D>,
    centres: &PointBlock<D>,
    local: &mut [Local<D>],
) -> Result<()> {
    let (mut drift, mut tensor) = ([[0.0; LANES]; D], [[[0.0; LANES]; D]; D]);
    diffusion.drift_block(centres, &mut drift);
    diffusion.tensor_block(centres, &mut tensor);
    for (lane, local) in local.iter_mut().enumerate() {
        let b = Point::<D>::from_fn(|i, _| drift[i][lane]);
        let d = Tensor::<D>::from_fn(|i, j| tensor[i][j][lane]);
        if !b.iter().chain(d.iter()).all(|v| v.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "drift or diffusion".into(),
                reason: format!(
                    "b = {:?}, D = {:?} at {:?}",
                    b.as_slice(),
                    d.as_slice(),
                    centres.point(lane).as_slice()
                ),
            });
        }
        *local = (b, d);
    }
    Ok(())
}
