//! Formulas in named variables, with exact first and second derivatives.
//!
//! ```text
//! sum      = product { ("+" | "-") product }
//! product  = unary { ("*" | "/") unary }
//! unary    = "-" unary | "+" unary | power
//! power    = atom [ ("^" | "**") unary ]
//! atom     = number | name | function "(" sum {"," sum} ")" | "if" "(" sum (">" | "<") sum "," sum "," sum ")" | "(" sum ")"
//! ```
//!
//! −x^2 is −(x^2), and a^b^c is a^(b^c). Functions: sqrt, exp, ln, sin, cos, tan, sinh, cosh, tanh, atan, abs, min, max. Constant: pi.
//!
//! # Limitations
//! Derivatives of abs, min, max and if are those of the branch that owns the point. At most 4000 characters, nested at most 100 deep.

mod graph;
mod jet;
mod parse;
mod tape;
#[cfg(test)]
mod tape_tests;
mod tree;

pub use jet::{Jet, Number, Slope};
pub use tape::Tape;

use crate::error::Result;
use crate::math::{Point, Tensor};
use std::collections::BTreeMap;
use tree::{Node, evaluate, linear};

/// A parsed formula in D variables; parameters are replaced by their values.
///
/// # Method
/// Values by evaluating the tree; gradient and Hessian by forward propagation of second-order Taylor coefficients, exact up to
/// rounding. Evaluation cannot fail; outside the range of a function the result is NaN or infinite, as in IEEE 754.
///
/// # Examples
/// ```
/// use freezeout::math::{Formula, Point};
/// use std::collections::BTreeMap;
/// let parameters = BTreeMap::from([("a".to_string(), 2.0)]);
/// let f = Formula::<2>::parse("a*x^2*y - y", &["x", "y"], &parameters)?;
/// let (value, gradient, hessian) = f.derivatives(&Point::<2>::new(3.0, 5.0));
/// assert_eq!((value, gradient[0], hessian[(0, 1)]), (85.0, 60.0, 12.0));
/// let typo = Formula::<2>::parse("a*x^2 + z", &["x", "y"], &parameters).unwrap_err();
/// assert!(typo.to_string().contains("character 9"));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Formula<const D: usize> {
    root: Node,
}

impl<const D: usize> Formula<D> {
    /// Parses `text`, whose variables are `variables` in this order.
    ///
    /// # Errors
    /// [`crate::Error::Expression`] naming the character at which the text cannot be understood; [`crate::Error::InvalidParameter`] for a
    /// parameter that is not finite.
    pub fn parse(text: &str, variables: &[&str; D], parameters: &BTreeMap<String, f64>) -> Result<Self> {
        Ok(Self {
            root: parse::formula(text, variables, parameters)?,
        })
    }

    /// Parses a condition `left > right` or `left < right` as the formula that is positive where it holds; without a comparison, the
    /// condition is that the formula is positive.
    ///
    /// # Errors
    /// As [`Formula::parse`].
    pub fn parse_condition(
        text: &str,
        variables: &[&str; D],
        parameters: &BTreeMap<String, f64>,
    ) -> Result<Self> {
        Ok(Self {
            root: parse::condition(text, variables, parameters)?,
        })
    }

    /// Whether a text, if it is a formula, contains this name.
    ///
    /// # Examples
    /// ```
    /// use freezeout::math::Formula;
    /// assert!(Formula::<1>::mentions("2e5*barrier^2", "barrier"));
    /// assert!(!Formula::<1>::mentions("2e5*barrier^2", "e") && !Formula::<1>::mentions("barrier", "bar"));
    /// ```
    pub fn mentions(text: &str, name: &str) -> bool {
        text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()) == name)
    }

    /// Gradient and value at zero of a formula that is written as a linear function, with sums of multiples of the variables.
    ///
    /// # Examples
    /// ```
    /// use freezeout::math::Formula;
    /// use std::collections::BTreeMap;
    /// let formula = |text| Formula::<2>::parse_condition(text, &["x", "y"], &BTreeMap::new());
    /// let (gradient, value) = formula("2*x - y/4 > 3")?.linear().unwrap();
    /// assert_eq!((gradient[0], gradient[1], value), (2.0, -0.25, -3.0));
    /// assert!(formula("x*y > 3")?.linear().is_none());
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn linear(&self) -> Option<(Point<D>, f64)> {
        linear::<D>(&self.root).map(|(slopes, value)| (slopes.into(), value))
    }

    /// Value at `point`.
    pub fn value(&self, point: &Point<D>) -> f64 {
        evaluate(&self.root, point.as_slice())
    }

    /// Gradient at `point`, the same numbers as [`Formula::derivatives`] gives.
    pub fn gradient(&self, point: &Point<D>) -> Point<D> {
        let variables: [Slope<D>; D] = std::array::from_fn(|axis| Slope::variable(point[axis], axis));
        evaluate(&self.root, &variables).gradient
    }

    /// Value, gradient and Hessian at `point`.
    pub fn derivatives(&self, point: &Point<D>) -> (f64, Point<D>, Tensor<D>) {
        let variables: [Jet<D>; D] = std::array::from_fn(|axis| Jet::variable(point[axis], axis));
        let jet = evaluate(&self.root, &variables);
        (jet.value, jet.gradient, jet.hessian)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, x: f64, y: f64) -> f64 {
        Formula::<2>::parse(text, &["x", "y"], &BTreeMap::new())
            .unwrap()
            .value(&Point::<2>::new(x, y))
    }

    #[test]
    fn precedence_is_the_usual_one() {
        assert_eq!(at("-x^2", 3.0, 0.0), -9.0);
        assert_eq!(at("2^3^2", 0.0, 0.0), 512.0);
        assert_eq!(at("-x**2 + 2 ** 3**2 * x*2", 3.0, 0.0), -9.0 + 512.0 * 6.0);
        assert_eq!(at("1 - 2 - 3*x/2/3", 4.0, 0.0), -3.0);
        assert_eq!(
            at("2^-2 + 1e-2 + .5 + 1.5E+1", 0.0, 0.0),
            0.25 + 0.01 + 0.5 + 15.0
        );
        assert_eq!(at("if(x > y, x, -y) + max(x, y) - min(x, 1)", 2.0, 1.0), 3.0);
    }

    #[test]
    fn derivatives_agree_with_differences() {
        let text = "exp(-x*y)*sin(x) + x^3/y - sqrt(x + y)*tanh(y) + (x*y)^(y/2) + atan(x) + ln(y)*cosh(x/2) - tan(y/3)^2";
        let f = Formula::<2>::parse(text, &["x", "y"], &BTreeMap::new()).unwrap();
        let p = Point::<2>::new(0.7, 1.1);
        let (_, gradient, hessian) = f.derivatives(&p);
        assert_eq!(f.gradient(&p), gradient);
        // Central differences: h² truncation and rounding/h both stay below 1e-7 of numbers of order one.
        let h = 1e-5;
        for axis in 0..2 {
            let mut step = Point::<2>::zeros();
            step[axis] = h;
            let slope = (f.value(&(p + step)) - f.value(&(p - step))) / (2.0 * h);
            assert!(
                (slope - gradient[axis]).abs() < 1e-7,
                "{slope} {}",
                gradient[axis]
            );
            let row = (f.derivatives(&(p + step)).1 - f.derivatives(&(p - step)).1) / (2.0 * h);
            for other in 0..2 {
                let (difference, exact) = (row[other], hessian[(axis, other)]);
                assert!(
                    (difference - exact).abs() < 1e-7,
                    "{axis} {other}: {difference} {exact}"
                );
            }
        }
    }

    #[test]
    fn mistakes_are_located() {
        for (text, place) in [
            ("x + zz*2", "character 5"),
            ("2x", "character 2"),
            ("(x + 1", "character 7"),
            ("sin x", "character 5"),
            ("max(x)", "character 6"),
            ("x $ 2", "character 3"),
            ("", "character 1"),
            ("x +", "character 4"),
            ("x > 1", "character 3"),
            ("2x", "write 2*x"),
            ("2(x + 1)", "write 2*("),
            ("(x + 1)(x - 1)", "product is written with *"),
            ("x y", "product is written with *"),
            ("log(x)", "ln is the natural logarithm"),
            ("pow(x, 2)", "x^2"),
            ("arctan(x)", "\"atan\""),
            ("E*x", "exp(1)"),
            ("x***2", "character 4"),
        ] {
            let message = Formula::<2>::parse(text, &["x", "y"], &BTreeMap::new())
                .unwrap_err()
                .to_string();
            assert!(message.contains(place), "{text:?}: {message}");
            assert!(!message.contains('\n'));
        }
        let deep = "(".repeat(3000);
        assert!(Formula::<2>::parse(&deep, &["x", "y"], &BTreeMap::new()).is_err());
    }
}
