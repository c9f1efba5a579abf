//! Numbers with their first, or first and second, derivatives, and plain numbers, behind one trait.

use crate::math::{Point, Tensor};

/// What a formula can be evaluated with.
pub trait Number: Clone {
    /// A number that does not depend on the variables.
    fn constant(value: f64) -> Self;
    /// The number without its derivatives.
    fn value(&self) -> f64;
    /// The same derivatives with another value, for one that is known with less rounding.
    #[must_use]
    fn with_value(self, value: f64) -> Self;
    /// Sum.
    #[must_use]
    fn add(&self, other: &Self) -> Self;
    /// Product.
    #[must_use]
    fn multiply(&self, other: &Self) -> Self;
    /// f(self), given f, f′ and f″ there.
    #[must_use]
    fn compose(&self, taylor: [f64; 3]) -> Self;
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }
    fn value(&self) -> f64 {
        *self
    }
    fn with_value(self, value: f64) -> Self {
        value
    }
    fn add(&self, other: &Self) -> Self {
        self + other
    }
    fn multiply(&self, other: &Self) -> Self {
        self * other
    }
    fn compose(&self, taylor: [f64; 3]) -> Self {
        taylor[0]
    }
}

/// A value with its gradient in D variables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope<const D: usize> {
    /// Value.
    pub value: f64,
    /// First derivatives.
    pub gradient: Point<D>,
}

impl<const D: usize> Slope<D> {
    /// Variable `axis` at `value`.
    pub fn variable(value: f64, axis: usize) -> Self {
        let mut gradient = Point::<D>::zeros();
        gradient[axis] = 1.0;
        Self { value, gradient }
    }
}

impl<const D: usize> Number for Slope<D> {
    fn constant(value: f64) -> Self {
        Self {
            value,
            gradient: Point::<D>::zeros(),
        }
    }
    fn value(&self) -> f64 {
        self.value
    }
    fn with_value(self, value: f64) -> Self {
        Self { value, ..self }
    }
    fn add(&self, other: &Self) -> Self {
        Self {
            value: self.value + other.value,
            gradient: self.gradient + other.gradient,
        }
    }
    fn multiply(&self, other: &Self) -> Self {
        Self {
            value: self.value * other.value,
            gradient: self.gradient * other.value + other.gradient * self.value,
        }
    }
    fn compose(&self, [f, first, _]: [f64; 3]) -> Self {
        Self {
            value: f,
            gradient: self.gradient * first,
        }
    }
}

/// A value with its gradient and Hessian in D variables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet<const D: usize> {
    /// Value.
    pub value: f64,
    /// First derivatives.
    pub gradient: Point<D>,
    /// Second derivatives.
    pub hessian: Tensor<D>,
}

impl<const D: usize> Jet<D> {
    /// Variable `axis` at `value`.
    pub fn variable(value: f64, axis: usize) -> Self {
        let mut gradient = Point::<D>::zeros();
        gradient[axis] = 1.0;
        Self {
            value,
            gradient,
            hessian: Tensor::<D>::zeros(),
        }
    }
}

impl<const D: usize> Number for Jet<D> {
    fn constant(value: f64) -> Self {
        Self {
            value,
            gradient: Point::<D>::zeros(),
            hessian: Tensor::<D>::zeros(),
        }
    }
    fn value(&self) -> f64 {
        self.value
    }
    fn with_value(self, value: f64) -> Self {
        Self { value, ..self }
    }
    fn add(&self, other: &Self) -> Self {
        Self {
            value: self.value + other.value,
            gradient: self.gradient + other.gradient,
            hessian: self.hessian + other.hessian,
        }
    }
    fn multiply(&self, other: &Self) -> Self {
        let cross = self.gradient * other.gradient.transpose();
        Self {
            value: self.value * other.value,
            gradient: self.gradient * other.value + other.gradient * self.value,
            hessian: self.hessian * other.value + other.hessian * self.value + cross + cross.transpose(),
        }
    }
    fn compose(&self, [f, first, second]: [f64; 3]) -> Self {
        let outer = self.gradient * self.gradient.transpose();
        Self {
            value: f,
            gradient: self.gradient * first,
            hessian: self.hessian * first + outer * second,
        }
    }
}
