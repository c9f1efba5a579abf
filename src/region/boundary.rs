//! What happens at the edge of a domain.

/// What a face at the end of an axis, or the edge of a domain, does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// No probability flux through the face.
    #[default]
    Reflecting,
    /// The process ends on reaching the face.
    Absorbing,
    /// The face is glued to the opposite one, which must be periodic too.
    Periodic,
}
