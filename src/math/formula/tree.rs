//! A formula as a tree, and its evaluation in any [`Number`].

use super::jet::Number;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Constant(f64),
    Variable(usize),
    Binary(Binary, Box<[Node; 2]>),
    /// Power with a constant exponent.
    Power(Box<Node>, f64),
    Unary(Unary, Box<Node>),
    /// The second where the first is positive, else the third.
    If(Box<[Node; 3]>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Negate,
    Sqrt,
    Exp,
    Ln,
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Tanh,
    Atan,
    Abs,
}

impl Unary {
    /// Value and two derivatives.
    fn taylor(self, x: f64) -> [f64; 3] {
        match self {
            Self::Negate => [-x, -1.0, 0.0],
            Self::Sqrt => {
                let s = x.sqrt();
                [s, 0.5 / s, -0.25 / (s * x)]
            }
            Self::Exp => [x.exp(); 3],
            Self::Ln => [x.ln(), 1.0 / x, -1.0 / (x * x)],
            Self::Sin => [x.sin(), x.cos(), -x.sin()],
            Self::Cos => [x.cos(), -x.sin(), -x.cos()],
            Self::Tan => {
                let t = x.tan();
                [t, 1.0 + t * t, 2.0 * t * (1.0 + t * t)]
            }
            Self::Sinh => [x.sinh(), x.cosh(), x.sinh()],
            Self::Cosh => [x.cosh(), x.sinh(), x.cosh()],
            Self::Tanh => {
                let (t, c) = (x.tanh(), 1.0 / x.cosh());
                [t, c * c, -2.0 * t * c * c]
            }
            Self::Atan => {
                let d = 1.0 / (1.0 + x * x);
                [x.atan(), d, -2.0 * x * d * d]
            }
            Self::Abs => [x.abs(), x.signum(), 0.0],
        }
    }
}

/// x^p with two derivatives, exact where p is 0, 1 or 2 and x = 0.
fn power(x: f64, p: f64) -> [f64; 3] {
    // The common exponents without a call, to the same bits.
    if p == 2.0 {
        return [x * x, 2.0 * x, 2.0];
    }
    if p == 3.0 {
        return [x * x * x, 3.0 * (x * x), 6.0 * x];
    }
    let raise = |p: f64| {
        if p.fract() == 0.0 && p.abs() <= 64.0 {
            x.powi(p as i32)
        } else {
            x.powf(p)
        }
    };
    let first = if p == 0.0 { 0.0 } else { p * raise(p - 1.0) };
    let second = if p == 0.0 || p == 1.0 {
        0.0
    } else {
        p * (p - 1.0) * raise(p - 2.0)
    };
    [raise(p), first, second]
}

/// Value of a node, or value and derivatives, at `variables`.
pub(super) fn evaluate<N: Number>(node: &Node, variables: &[N]) -> N {
    match node {
        Node::Constant(c) => N::constant(*c),
        Node::Variable(axis) => variables[*axis].clone(),
        Node::Unary(function, argument) => {
            let x = evaluate(argument, variables);
            let taylor = function.taylor(x.value());
            x.compose(taylor)
        }
        Node::Power(base, exponent) => {
            let x = evaluate(base, variables);
            let taylor = power(x.value(), *exponent);
            x.compose(taylor)
        }
        Node::If(parts) => {
            let branch = if evaluate(&parts[0], variables).value() > 0.0 {
                1
            } else {
                2
            };
            evaluate(&parts[branch], variables)
        }
        Node::Binary(operator, arguments) => {
            let (a, b) = (
                evaluate(&arguments[0], variables),
                evaluate(&arguments[1], variables),
            );
            match operator {
                Binary::Add => a.add(&b),
                Binary::Subtract => a.add(&b.compose([-b.value(), -1.0, 0.0])),
                Binary::Multiply => a.multiply(&b),
                Binary::Divide => {
                    let x = b.value();
                    let inverse = b.compose([1.0 / x, -1.0 / (x * x), 2.0 / (x * x * x)]);
                    a.multiply(&inverse).with_value(a.value() / x)
                }
                Binary::Power => {
                    let (x, p) = (a.value(), b.value());
                    let log = a.compose(Unary::Ln.taylor(x));
                    let exponent = log.multiply(&b);
                    exponent
                        .compose([exponent.value().exp(); 3])
                        .with_value(x.powf(p))
                }
                Binary::Min if b.value() < a.value() || b.value().is_nan() => b,
                Binary::Max if b.value() > a.value() || b.value().is_nan() => b,
                Binary::Min | Binary::Max => a,
            }
        }
    }
}

/// Slopes and value at zero of a tree that is written as a linear function of the variables.
pub(super) fn linear<const D: usize>(node: &Node) -> Option<([f64; D], f64)> {
    let scaled = |(slopes, value): ([f64; D], f64), factor: f64| (slopes.map(|s| s * factor), value * factor);
    let constant = |(slopes, value): &([f64; D], f64)| slopes.iter().all(|s| *s == 0.0).then_some(*value);
    match node {
        Node::Constant(value) => Some(([0.0; D], *value)),
        Node::Variable(axis) => {
            let mut slopes = [0.0; D];
            *slopes.get_mut(*axis)? = 1.0;
            Some((slopes, 0.0))
        }
        Node::Unary(Unary::Negate, part) => Some(scaled(linear(part)?, -1.0)),
        Node::Binary(operation, parts) => {
            let [a, b] = [linear::<D>(&parts[0])?, linear::<D>(&parts[1])?];
            match operation {
                Binary::Add => Some((std::array::from_fn(|d| a.0[d] + b.0[d]), a.1 + b.1)),
                Binary::Subtract => Some((std::array::from_fn(|d| a.0[d] - b.0[d]), a.1 - b.1)),
                Binary::Multiply => match (constant(&a), constant(&b)) {
                    (Some(factor), _) => Some(scaled(b, factor)),
                    (_, Some(factor)) => Some(scaled(a, factor)),
                    _ => None,
                },
                Binary::Divide => constant(&b).map(|divisor| (a.0.map(|s| s / divisor), a.1 / divisor)),
                _ => None,
            }
        }
        _ => None,
    }
}
