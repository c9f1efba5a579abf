//! Route 3 against known numbers: the Fokker-Planck generator on a slice.

use freezeout::Result;
use freezeout::diffusion::{Diffusion, Sgd};
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::{Side, Slice, TwoValley};
use freezeout::observables::*;

#[test]
fn play() -> Result<()> {
    let model = TwoValley::default();
    for (y, delta) in [(5.0, 1e-3), (10.0, 5e-3)] {
        let slice = Slice::new(model, y)?;
        let sgd = Sgd::hessian_power(slice, 1.0, 0.01, delta / 0.01, 0.0)?;
        let (a, b) = (model.minimum(Side::Sharp, y), model.minimum(Side::Flat, y));
        let w = 9.0 * f64::sqrt(delta);
        for n in [1000, 2000, 4000, 8000] {
            let grid = Grid::new([Axis::with_faces_at(a - w, b + w, n, &[a, 0.0, b])?]);
            let flat = CellSet::new("flat", &grid, |x| x[0] > b)?;
            let sharp = CellSet::new("sharp", &grid, |x| x[0] < a)?;
            let g = Generator::assemble(&sgd, grid.clone())?;
            let t = std::time::Instant::now();
            let tf = grid.interpolate(&mean_first_passage_time(&g, &sharp)?, b);
            let ts = grid.interpolate(&mean_first_passage_time(&g, &flat)?, a);
            let p = stationary_probability(&g)?;
            let pf: f64 = (0..grid.cells())
                .filter(|&i| grid.centre(i)[0] > 0.0)
                .map(|i| p[i])
                .sum();
            let gap = spectral_gap(&g)?;
            let q = quasi_stationary(&g, &flat)?;
            println!(
                "{y} {n} {tf:.9} {ts:.9} {pf:.9} {:.9} it {} {:e} qsd {:.9} {} {:?}",
                gap.rate,
                gap.iterations,
                gap.residual,
                q.escape_rate,
                q.iterations,
                t.elapsed()
            );
        }
    }
    let _ = |d: &dyn Diffusion<1>| d.kinks();
    Ok(())
}
