//! Formulas compiled for blocks of points.

use super::Formula;
use super::graph::{Graph, Kind, Term};
use super::tree::{Binary, Unary};
use crate::math::block::{LANES, Lanes, PointBlock};
use crate::math::{Instructions, elementary};
use pulp::NullaryFnOnce;
use std::cell::Cell;
use std::collections::HashMap;

/// Place of a block of numbers: first the variables, then the result of each operation.
type Register = usize;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Constant(f64),
    Add(Register, Register),
    AddConstant(Register, f64),
    Subtract(Register, Register),
    SubtractFrom(f64, Register),
    Multiply(Register, Register),
    Scale(Register, f64),
    Divide(Register, Register),
    DivideInto(f64, Register),
    Function(Unary, Register),
    Sign(Register),
    SquaredSecant(Register),
    Power(Register, Register),
    Min(Register, Register),
    Max(Register, Register),
    MinTakesSecond(Register, Register),
    MaxTakesSecond(Register, Register),
    Select(Register, Register, Register),
}

/// Formulas in D variables, and derivatives of formulas, compiled into one list of operations on blocks of points.
///
/// # Method
/// Terms that occur more than once, in any of the formulas or derivatives, are computed once; integer powers become products, x^(k + 1/2) products
/// with sqrt x. Each operation runs over all points of a block before the next, in vector instructions chosen at run time. The elementary functions are the
/// crate's own; other powers, atan, and arguments near the ends of the range use the functions of `libm` point by point. No fused
/// multiplication: the results are the same bits on every processor, and differ from those of [`Formula`] in the last bits. Where a
/// partial derivative is zero because a variable does not occur in a function that is singular at the point, it is zero here and NaN there.
///
/// # Examples
/// ```
/// use freezeout::math::formula::{Formula, Tape};
/// use freezeout::math::{Point, PointBlock};
/// use std::collections::BTreeMap;
/// let f = Formula::<2>::parse("x^2*y - y", &["x", "y"], &BTreeMap::new())?;
/// let points = PointBlock::of(&[Point::<2>::new(3.0, 5.0), Point::<2>::new(0.0, 1.0)]);
/// let mut gradient = [[0.0; 64]; 2];
/// Tape::gradient(&f).evaluate(&points, &mut gradient);
/// assert_eq!((gradient[0][0], gradient[1][0], gradient[1][1]), (30.0, 8.0, -1.0));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tape<const D: usize> {
    operations: Vec<Operation>,
    /// Where each result stands.
    results: Vec<Register>,
}

impl<const D: usize> Tape<D> {
    /// The values of formulas.
    pub fn values<'a>(formulas: impl IntoIterator<Item = &'a Formula<D>>) -> Self {
        let mut graph = Graph::default();
        let terms: Vec<_> = formulas.into_iter().map(|f| Some(graph.add(&f.root))).collect();
        compile(&mut graph, &terms)
    }

    /// The D first derivatives of a formula.
    pub fn gradient(formula: &Formula<D>) -> Self {
        let mut graph = Graph::default();
        let value = Some(graph.add(&formula.root));
        let terms: Vec<_> = (0..D).map(|d| graph.derivatives(&[value], d)[0]).collect();
        compile(&mut graph, &terms)
    }

    /// The value of a formula and its D first derivatives.
    pub fn value_and_gradient(formula: &Formula<D>) -> Self {
        let mut graph = Graph::default();
        let value = Some(graph.add(&formula.root));
        let mut terms = vec![value];
        terms.extend((0..D).map(|d| graph.derivatives(&[value], d)[0]));
        compile(&mut graph, &terms)
    }

    /// The D² second derivatives of a formula, row by row.
    pub fn hessian(formula: &Formula<D>) -> Self {
        let mut graph = Graph::default();
        let value = Some(graph.add(&formula.root));
        let gradient: Vec<_> = (0..D).map(|d| graph.derivatives(&[value], d)[0]).collect();
        // column by column; it is symmetric, and computed from the gradient by the later variable
        let columns: Vec<_> = (0..D).map(|d| graph.derivatives(&gradient, d)).collect();
        let entries = (0..D).flat_map(|r| (0..D).map(move |c| (r.min(c), r.max(c))));
        let terms: Vec<_> = entries.map(|(r, c)| columns[c][r]).collect();
        compile(&mut graph, &terms)
    }

    /// Number of operations on a block.
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// Writes what the tape computes, in the order of compilation, as far as there are places in `results`.
    pub fn evaluate<'a>(&self, points: &PointBlock<D>, results: impl IntoIterator<Item = &'a mut Lanes>) {
        self.evaluate_with(Instructions::Native, points, results);
    }

    /// [`Tape::evaluate`] with a chosen instruction set: for tests and measurements, the results are the same.
    pub fn evaluate_with<'a>(
        &self,
        instructions: Instructions,
        points: &PointBlock<D>,
        results: impl IntoIterator<Item = &'a mut Lanes>,
    ) {
        thread_local! {
            /// Kept from one evaluation to the next.
            static REGISTERS: Cell<Vec<Aligned>> = const { Cell::new(Vec::new()) };
        }
        let mut registers = REGISTERS.take();
        let needed = D + self.operations.len();
        if registers.len() < needed {
            registers.resize(needed, Aligned([0.0; LANES]));
        }
        for (register, coordinate) in registers.iter_mut().zip(points.coordinates()) {
            register.0 = *coordinate;
        }
        instructions.run(Run {
            first: D,
            operations: &self.operations,
            registers: &mut registers,
        });
        for (result, register) in results.into_iter().zip(&self.results) {
            *result = registers[*register].0;
        }
        REGISTERS.set(registers);
    }
}

/// Numbers that do not straddle cache lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Aligned(Lanes);

/// The operations for the terms, which themselves are zero where there is none.
fn compile<const D: usize>(graph: &mut Graph, terms: &[Option<Term>]) -> Tape<D> {
    let zero = graph.constant(0.0);
    let terms: Vec<Term> = terms.iter().map(|term| term.unwrap_or(zero)).collect();
    let needed = graph.needed(terms.iter().copied());
    let mut compiler = Compiler {
        graph,
        variables: D,
        operations: Vec::new(),
        known: HashMap::new(),
        registers: HashMap::new(),
    };
    for term in (0..needed.len()).filter(|&term| needed[term]) {
        compiler.term(term);
    }
    let results = terms.iter().map(|&term| compiler.register(term)).collect();
    Tape {
        operations: compiler.operations,
        results,
    }
}

struct Compiler<'a> {
    graph: &'a Graph,
    variables: usize,
    operations: Vec<Operation>,
    /// The operations by their bits.
    known: HashMap<[u64; 4], Register>,
    /// Where the terms stand; numbers only if an operation wants them as a block.
    registers: HashMap<Term, Register>,
}

impl Compiler<'_> {
    fn push(&mut self, operation: Operation) -> Register {
        let next = self.variables + self.operations.len();
        let register = *self.known.entry(operation.bits()).or_insert(next);
        if register == next {
            self.operations.push(operation);
        }
        register
    }

    fn number(&self, term: Term) -> Option<f64> {
        match self.graph.terms()[term] {
            Kind::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Where a term stands, one that is computed already or a number.
    fn register(&mut self, term: Term) -> Register {
        match (self.registers.get(&term), self.number(term)) {
            (Some(register), _) => *register,
            (None, number) => self.push(Operation::Constant(number.unwrap_or(f64::NAN))),
        }
    }

    fn term(&mut self, term: Term) {
        let register = match self.graph.terms()[term] {
            Kind::Constant(_) => return,
            Kind::Variable(axis) => axis,
            Kind::Binary(Binary::Power, base, exponent) => self.power(base, exponent),
            Kind::Binary(operator, a, b) => {
                let operation = match (operator, self.number(a), self.number(b)) {
                    (Binary::Add, Some(c), _) => Operation::AddConstant(self.register(b), c),
                    (Binary::Add, _, Some(c)) => Operation::AddConstant(self.register(a), c),
                    (Binary::Subtract, Some(c), _) => Operation::SubtractFrom(c, self.register(b)),
                    (Binary::Subtract, _, Some(c)) => Operation::AddConstant(self.register(a), -c),
                    (Binary::Multiply, Some(c), _) => Operation::Scale(self.register(b), c),
                    (Binary::Multiply, _, Some(c)) => Operation::Scale(self.register(a), c),
                    (Binary::Divide, Some(c), _) => Operation::DivideInto(c, self.register(b)),
                    _ => {
                        let (a, b) = (self.register(a), self.register(b));
                        match operator {
                            Binary::Add => Operation::Add(a, b),
                            Binary::Subtract => Operation::Subtract(a, b),
                            Binary::Multiply => Operation::Multiply(a, b),
                            Binary::Divide => Operation::Divide(a, b),
                            Binary::Power => Operation::Power(a, b),
                            Binary::Min => Operation::Min(a, b),
                            Binary::Max => Operation::Max(a, b),
                        }
                    }
                };
                self.push(operation)
            }
            kind => {
                let mut arguments = [0; 3];
                for (place, argument) in arguments.iter_mut().zip(kind.arguments()) {
                    *place = self.register(argument);
                }
                let [a, b, c] = arguments;
                self.push(match kind {
                    Kind::Unary(function, _) => Operation::Function(function, a),
                    Kind::Sign(_) => Operation::Sign(a),
                    Kind::SquaredSecant(_) => Operation::SquaredSecant(a),
                    Kind::MinTakesSecond(..) => Operation::MinTakesSecond(a, b),
                    Kind::MaxTakesSecond(..) => Operation::MaxTakesSecond(a, b),
                    _ => Operation::Select(a, b, c),
                })
            }
        };
        self.registers.insert(term, register);
    }

    /// Integer powers as products, half-integer ones with a root.
    fn power(&mut self, base: Term, exponent: Term) -> Register {
        const LARGEST: f64 = 64.0;
        let x = self.register(base);
        let p = self.number(exponent).filter(|p| p.abs() <= LARGEST);
        let Some(p) = p.filter(|p| (2.0 * p).fract() == 0.0) else {
            let exponent = self.register(exponent);
            return self.push(Operation::Power(x, exponent));
        };
        let mut product = (p.fract() != 0.0).then(|| self.push(Operation::Function(Unary::Sqrt, x)));
        let (mut square, mut left) = (x, p.abs().trunc() as u32);
        while left > 0 {
            if left % 2 == 1 {
                product = Some(product.map_or(square, |product| self.multiply(product, square)));
            }
            left /= 2;
            if left > 0 {
                square = self.multiply(square, square);
            }
        }
        match product {
            None => self.push(Operation::Constant(1.0)),
            Some(product) if p < 0.0 => self.push(Operation::DivideInto(1.0, product)),
            Some(product) => product,
        }
    }

    fn multiply(&mut self, a: Register, b: Register) -> Register {
        self.push(Operation::Multiply(a.min(b), a.max(b)))
    }
}

impl Operation {
    /// Four words that tell operations apart.
    fn bits(self) -> [u64; 4] {
        let word = |register: Register| register as u64;
        match self {
            Self::Constant(c) => [0, c.to_bits(), 0, 0],
            Self::Add(a, b) => [1, word(a), word(b), 0],
            Self::AddConstant(a, c) => [2, word(a), c.to_bits(), 0],
            Self::Subtract(a, b) => [3, word(a), word(b), 0],
            Self::SubtractFrom(c, a) => [4, c.to_bits(), word(a), 0],
            Self::Multiply(a, b) => [5, word(a), word(b), 0],
            Self::Scale(a, c) => [6, word(a), c.to_bits(), 0],
            Self::Divide(a, b) => [7, word(a), word(b), 0],
            Self::DivideInto(c, a) => [8, c.to_bits(), word(a), 0],
            Self::Function(function, a) => [9, function as u64, word(a), 0],
            Self::Sign(a) => [10, word(a), 0, 0],
            Self::SquaredSecant(a) => [11, word(a), 0, 0],
            Self::Power(a, b) => [12, word(a), word(b), 0],
            Self::Min(a, b) => [13, word(a), word(b), 0],
            Self::Max(a, b) => [14, word(a), word(b), 0],
            Self::MinTakesSecond(a, b) => [15, word(a), word(b), 0],
            Self::MaxTakesSecond(a, b) => [16, word(a), word(b), 0],
            Self::Select(a, b, c) => [17, word(a), word(b), word(c)],
        }
    }
}

/// All operations, compiled for each instruction set.
struct Run<'a> {
    /// Where the result of the first operation stands.
    first: usize,
    operations: &'a [Operation],
    registers: &'a mut [Aligned],
}

impl NullaryFnOnce for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (number, operation) in self.operations.iter().enumerate() {
            let (before, after) = self.registers.split_at_mut(self.first + number);
            let Some(Aligned(result)) = after.first_mut() else {
                return;
            };
            let at = |register: Register| &before[register].0;
            match *operation {
                Operation::Constant(c) => *result = [c; LANES],
                Operation::Add(a, b) => each_pair(at(a), at(b), result, |x, y| x + y),
                Operation::AddConstant(a, c) => each(at(a), result, |x| x + c),
                Operation::Subtract(a, b) => each_pair(at(a), at(b), result, |x, y| x - y),
                Operation::SubtractFrom(c, a) => each(at(a), result, |x| c - x),
                Operation::Multiply(a, b) => each_pair(at(a), at(b), result, |x, y| x * y),
                Operation::Scale(a, c) => each(at(a), result, |x| x * c),
                Operation::Divide(a, b) => each_pair(at(a), at(b), result, |x, y| x / y),
                Operation::DivideInto(c, a) => each(at(a), result, |x| c / x),
                Operation::Function(function, a) => apply(function, at(a), result),
                Operation::Sign(a) => each(at(a), result, f64::signum),
                Operation::SquaredSecant(a) => {
                    let secant = |x: f64| 1.0 / elementary::cosh(x);
                    let inside = |x: f64| x.abs() <= 708.0;
                    patched(at(a), result, secant, inside, |x| 1.0 / libm::cosh(x));
                    for lane in 0..LANES {
                        result[lane] *= result[lane];
                    }
                }
                Operation::Power(a, b) => {
                    let (a, b) = (at(a), at(b));
                    for lane in 0..LANES {
                        result[lane] = libm::pow(a[lane], b[lane]);
                    }
                }
                Operation::Min(a, b) => {
                    let least = |x, y| if takes_least(x, y) { y } else { x };
                    each_pair(at(a), at(b), result, least);
                }
                Operation::Max(a, b) => {
                    let largest = |x, y| if takes_largest(x, y) { y } else { x };
                    each_pair(at(a), at(b), result, largest);
                }
                Operation::MinTakesSecond(a, b) => {
                    let takes = |x, y| if takes_least(x, y) { 1.0 } else { 0.0 };
                    each_pair(at(a), at(b), result, takes);
                }
                Operation::MaxTakesSecond(a, b) => {
                    let takes = |x, y| if takes_largest(x, y) { 1.0 } else { 0.0 };
                    each_pair(at(a), at(b), result, takes);
                }
                Operation::Select(test, a, b) => {
                    let (test, a, b) = (at(test), at(a), at(b));
                    for lane in 0..LANES {
                        result[lane] = if test[lane] > 0.0 { a[lane] } else { b[lane] };
                    }
                }
            }
        }
    }
}

/// Whether min(x, y) is y.
#[inline(always)]
fn takes_least(x: f64, y: f64) -> bool {
    (y < x) | y.is_nan()
}

/// Whether max(x, y) is y.
#[inline(always)]
fn takes_largest(x: f64, y: f64) -> bool {
    (y > x) | y.is_nan()
}

#[inline(always)]
fn each(a: &Lanes, result: &mut Lanes, f: impl Fn(f64) -> f64) {
    for lane in 0..LANES {
        result[lane] = f(a[lane]);
    }
}

#[inline(always)]
fn each_pair(a: &Lanes, b: &Lanes, result: &mut Lanes, f: impl Fn(f64, f64) -> f64) {
    for lane in 0..LANES {
        result[lane] = f(a[lane], b[lane]);
    }
}

/// A function by a fast formula where that is good, `elsewhere` point by point.
#[inline(always)]
fn patched(
    a: &Lanes,
    result: &mut Lanes,
    fast: impl Fn(f64) -> f64,
    is_good: impl Fn(f64) -> bool,
    elsewhere: impl Fn(f64) -> f64,
) {
    let mut good = true;
    for lane in 0..LANES {
        result[lane] = fast(a[lane]);
        good &= is_good(a[lane]);
    }
    if !good {
        for lane in 0..LANES {
            if !is_good(a[lane]) {
                result[lane] = elsewhere(a[lane]);
            }
        }
    }
}

#[inline(always)]
fn apply(function: Unary, a: &Lanes, result: &mut Lanes) {
    /// Angles up to which the reduction holds.
    const LARGEST_ANGLE: f64 = 1e6;
    let small_angle = |x: f64| x.abs() <= LARGEST_ANGLE;
    let small = |x: f64| x.abs() <= 708.0;
    match function {
        Unary::Negate => each(a, result, |x| -x),
        Unary::Sqrt => each(a, result, f64::sqrt),
        Unary::Exp => patched(a, result, elementary::exp, small, libm::exp),
        Unary::Ln => {
            let is_good = |x: f64| (f64::MIN_POSITIVE..=f64::MAX).contains(&x);
            patched(a, result, elementary::ln, is_good, libm::log);
        }
        Unary::Sin => patched(a, result, |x| elementary::sin_cos(x).0, small_angle, libm::sin),
        Unary::Cos => patched(a, result, |x| elementary::sin_cos(x).1, small_angle, libm::cos),
        Unary::Tan => {
            let tangent = |x: f64| {
                let (sine, cosine) = elementary::sin_cos(x);
                sine / cosine
            };
            patched(a, result, tangent, small_angle, libm::tan);
        }
        Unary::Sinh => patched(a, result, elementary::sinh, small, libm::sinh),
        Unary::Cosh => patched(a, result, elementary::cosh, small, libm::cosh),
        Unary::Tanh => each(a, result, elementary::tanh),
        Unary::Atan => each(a, result, libm::atan),
        Unary::Abs => each(a, result, f64::abs),
    }
}
