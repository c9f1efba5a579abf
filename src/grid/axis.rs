//! One coordinate cut into cells, with faces where they are wanted.

use crate::error::{Error, Result, require, require_finite};

/// Cells between increasing faces.
///
/// Faces belong on every kink of the model, and on the ends of start and target sets: a quantity that jumps
/// inside a cell costs an order of accuracy.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    faces: Vec<f64>,
    centres: Vec<f64>,
}

impl Axis {
    /// Axis with the given faces.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] with fewer than two faces, [`Error::InvalidParameter`] when they are not
    /// finite and strictly increasing.
    pub fn from_faces(faces: Vec<f64>) -> Result<Self> {
        if faces.len() < 2 {
            return Err(Error::DimensionMismatch {
                name: "axis faces".into(),
                expected: 2,
                got: faces.len(),
            });
        }
        for &face in &faces {
            require_finite("axis face", face)?;
        }
        if let Some(pair) = faces.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(Error::InvalidParameter {
                name: "axis face".into(),
                value: pair[1],
                requirement: format!("faces must increase, and this one follows {}", pair[0]),
            });
        }
        let centres = faces.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        Ok(Self { faces, centres })
    }

    /// `cells` equal cells on [lower, upper].
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when lower ≥ upper, a bound is not finite, or cells = 0.
    pub fn uniform(lower: f64, upper: f64, cells: usize) -> Result<Self> {
        Self::with_faces_at(lower, upper, cells, &[])
    }

    /// About `cells` cells on [lower, upper] with faces at `fixed`; cells are equal between fixed faces.
    ///
    /// Fixed faces outside the open interval are ignored. Each piece gets cells in proportion to its length, at
    /// least two, so that the number of cells may differ a little from the request.
    ///
    /// # Errors
    /// As [`Axis::uniform`].
    pub fn with_faces_at(lower: f64, upper: f64, cells: usize, fixed: &[f64]) -> Result<Self> {
        require_finite("lower bound of the axis", lower)?;
        require(
            "upper bound of the axis",
            upper,
            |u| u > lower,
            "it must exceed the lower bound",
        )?;
        require("cells", cells as f64, |n| n >= 1.0, "at least one cell is needed")?;
        let mut stops: Vec<f64> = fixed
            .iter()
            .copied()
            .filter(|&f| f > lower && f < upper)
            .collect();
        stops.push(upper);
        stops.sort_by(f64::total_cmp);
        stops.dedup();
        let fewest = if stops.len() == 1 { 1 } else { 2 };
        let mut faces = vec![lower];
        let mut start = lower;
        for stop in stops {
            let share = cells as f64 * (stop - start) / (upper - lower);
            let count = (share.round() as usize).max(fewest);
            for k in 1..count {
                faces.push(start + (stop - start) * (k as f64 / count as f64));
            }
            faces.push(stop);
            start = stop;
        }
        Self::from_faces(faces)
    }

    /// Number of cells.
    #[inline]
    pub fn cells(&self) -> usize {
        self.centres.len()
    }

    /// The faces, one more than there are cells.
    pub fn faces(&self) -> &[f64] {
        &self.faces
    }

    /// The centres of the cells.
    pub fn centres(&self) -> &[f64] {
        &self.centres
    }

    /// Centre of cell i.
    #[inline]
    pub fn centre(&self, i: usize) -> f64 {
        self.centres[i]
    }

    /// Width of cell i.
    #[inline]
    pub fn width(&self, i: usize) -> f64 {
        self.faces[i + 1] - self.faces[i]
    }

    /// First face.
    pub fn lower(&self) -> f64 {
        self.faces[0]
    }

    /// Last face.
    pub fn upper(&self) -> f64 {
        self.faces[self.faces.len() - 1]
    }

    /// The face that stands at `position`, to 1e-12 of the width of the neighbouring cell.
    pub fn face_at(&self, position: f64) -> Option<usize> {
        let i = self.faces.partition_point(|&f| f < position);
        [i.wrapping_sub(1), i].into_iter().find(|&k| {
            k < self.faces.len() && {
                let cell = k.min(self.cells() - 1);
                (self.faces[k] - position).abs() <= 1e-12 * self.width(cell)
            }
        })
    }

    /// Whether a face stands at `position`, see [`Axis::face_at`].
    pub fn has_face(&self, position: f64) -> bool {
        self.face_at(position).is_some()
    }

    /// The axis with every cell halved.
    pub fn refined(&self) -> Self {
        let mut faces = Vec::with_capacity(2 * self.faces.len());
        for (face, centre) in self.faces.iter().zip(&self.centres) {
            faces.push(*face);
            faces.push(*centre);
        }
        faces.push(self.upper());
        let centres = faces.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        Self { faces, centres }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_stand_where_declared() {
        let axis = Axis::with_faces_at(-1.0, 2.0, 30, &[0.0, 0.1, 5.0]).unwrap();
        assert!(axis.has_face(0.0) && axis.has_face(0.1) && axis.has_face(-1.0) && axis.has_face(2.0));
        assert!(!axis.has_face(0.05 + 1e-6));
        assert!(axis.refined().has_face(0.1));
        assert_eq!(axis.refined().cells(), 2 * axis.cells());
    }

    #[test]
    fn refuses_bad_bounds() {
        assert!(Axis::uniform(1.0, 1.0, 4).is_err());
        assert!(Axis::uniform(0.0, f64::NAN, 4).is_err());
        assert!(Axis::uniform(0.0, 1.0, 0).is_err());
        assert!(Axis::from_faces(vec![0.0, 2.0, 1.0]).is_err());
    }
}
