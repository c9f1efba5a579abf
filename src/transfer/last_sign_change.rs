//! The law of the last sign change, backward in time.

use super::crossing::Crossing;
use super::kernel::dot;
use super::propagate::Propagation;
use crate::error::Result;
use crate::noise::GradientNoise;

impl<N: GradientNoise<2>> Propagation<'_, N> {
    /// u_k = T*_same side u_{k+1} from u = 1 after the last step, through the blocks in reverse; with the masses
    /// near the ridge kept by the forward pass, Pr(last change in step k) = Σ_i p_k(i) Σ_{j across} T_ji u_{k+1}(j).
    pub(super) fn backward(&mut self) -> Result<()> {
        let mut last = vec![0.0; self.settings.steps];
        let mut later = vec![1.0; self.stages.last().map_or(0, |s| s.grid.nodes().len())];
        let mut now = Vec::new();
        let mut across = Vec::new();
        let mut stored = self.near_ridge.len();
        for block in std::mem::take(&mut self.blocks).iter().rev() {
            self.assemble(block)?;
            let [source_split, target_split] = self.splits(block);
            let crossing = Crossing::new(&self.kernel, source_split, target_split);
            across.resize(crossing.window.len(), 0.0);
            for step in (block.first_step..block.first_step + block.steps).rev() {
                crossing.expectation(&self.kernel, source_split, target_split, &later, &mut across);
                stored -= across.len();
                last[step] = dot(&self.near_ridge[stored..stored + across.len()], &across);
                now.resize(self.kernel.sources(), 0.0);
                self.kernel
                    .apply_adjoint_same_side(&later, source_split, target_split, &mut now);
                std::mem::swap(&mut now, &mut later);
            }
        }
        self.law.no_sign_change = self
            .settings
            .starts
            .iter()
            .zip(&later)
            .map(|(start, u)| start.weight * u)
            .sum();
        self.law.last_sign_change = last;
        Ok(())
    }
}
