//! Formulas as one graph of shared terms, and its derivatives as further terms.

use super::tree::{Binary, Node, Unary};
use std::collections::HashMap;

/// Number of a term; those that it is made of come before it.
pub(super) type Term = usize;

/// What a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Bits of a number.
    Constant(u64),
    Variable(usize),
    Unary(Unary, Term),
    Binary(Binary, Term, Term),
    /// The sign of a number.
    Sign(Term),
    /// 1/cosh².
    SquaredSecant(Term),
    /// One where min takes its second argument, else zero.
    MinTakesSecond(Term, Term),
    /// One where max takes its second argument, else zero.
    MaxTakesSecond(Term, Term),
    /// The second where the first is positive, else the third.
    Select(Term, Term, Term),
}

impl Kind {
    /// The terms that a term is made of.
    pub fn arguments(self) -> impl Iterator<Item = Term> {
        let arguments = match self {
            Self::Constant(_) | Self::Variable(_) => [None; 3],
            Self::Unary(_, a) | Self::Sign(a) | Self::SquaredSecant(a) => [Some(a), None, None],
            Self::Binary(_, a, b) | Self::MinTakesSecond(a, b) | Self::MaxTakesSecond(a, b) => {
                [Some(a), Some(b), None]
            }
            Self::Select(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        arguments.into_iter().flatten()
    }
}

/// Whether a factor can be moved out of products and inverted without overflow, short of the ends of the range.
fn is_moderate(factor: f64) -> bool {
    const LARGEST: f64 = 18_446_744_073_709_551_616.0;
    factor.abs() <= LARGEST && factor.abs() >= 1.0 / LARGEST
}

/// Terms, each of them once.
#[derive(Debug, Default)]
pub(super) struct Graph {
    terms: Vec<Kind>,
    known: HashMap<Kind, Term>,
}

impl Graph {
    /// All terms, in an order in which each comes after those that it is made of.
    pub fn terms(&self) -> &[Kind] {
        &self.terms
    }

    /// The terms of a formula.
    pub fn add(&mut self, node: &Node) -> Term {
        match node {
            Node::Constant(value) => self.constant(*value),
            Node::Variable(axis) => self.term(Kind::Variable(*axis)),
            Node::Unary(function, argument) => {
                let argument = self.add(argument);
                self.term(Kind::Unary(*function, argument))
            }
            Node::Power(base, exponent) => {
                let base = self.add(base);
                self.power(base, *exponent)
            }
            Node::If(parts) => {
                let [test, first, second] = parts.each_ref().map(|part| self.add(part));
                self.term(Kind::Select(test, first, second))
            }
            Node::Binary(operator, arguments) => {
                let [a, b] = arguments.each_ref().map(|argument| self.add(argument));
                self.binary(*operator, a, b)
            }
        }
    }

    pub fn constant(&mut self, value: f64) -> Term {
        self.term(Kind::Constant(value.to_bits()))
    }

    fn term(&mut self, kind: Kind) -> Term {
        let next = self.terms.len();
        let term = *self.known.entry(kind).or_insert(next);
        if term == next {
            self.terms.push(kind);
        }
        term
    }

    fn value(&self, term: Term) -> Option<f64> {
        match self.terms[term] {
            Kind::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// A sum, product, … without what numbers make superfluous. Zero times a term is left as it is, for the term may be infinite.
    fn binary(&mut self, operator: Binary, a: Term, b: Term) -> Term {
        let kind = match operator {
            Binary::Add | Binary::Multiply => Kind::Binary(operator, a.min(b), a.max(b)),
            _ => Kind::Binary(operator, a, b),
        };
        match (operator, self.value(a), self.value(b)) {
            (Binary::Add, Some(x), Some(y)) => self.constant(x + y),
            (Binary::Subtract, Some(x), Some(y)) => self.constant(x - y),
            (Binary::Multiply, Some(x), Some(y)) => self.constant(x * y),
            (Binary::Divide, Some(x), Some(y)) => self.constant(x / y),
            (Binary::Add, Some(0.0), _) | (Binary::Multiply, Some(1.0), _) => b,
            (Binary::Add | Binary::Subtract, _, Some(0.0))
            | (Binary::Multiply | Binary::Divide, _, Some(1.0)) => a,
            (Binary::Multiply, Some(-1.0), _) => self.negative(b),
            (Binary::Multiply, _, Some(-1.0)) => self.negative(a),
            (Binary::Power, _, Some(p)) => self.power(a, p),
            (Binary::Divide, _, Some(y)) if is_moderate(y) => {
                let inverse = self.constant(1.0 / y);
                self.binary(Binary::Multiply, a, inverse)
            }
            (Binary::Multiply, ..) => match (self.factors(a), self.factors(b)) {
                ((1.0, _), (1.0, _)) => self.term(kind),
                ((c, None), (1.0, _)) | ((1.0, _), (c, None)) if !is_moderate(c) => self.term(kind),
                // numbers stand before all other factors and become one
                ((c, first), (d, second)) => {
                    let rest = match (first, second) {
                        (Some(first), Some(second)) => self.binary(Binary::Multiply, first, second),
                        (Some(rest), None) | (None, Some(rest)) => rest,
                        (None, None) => return self.constant(c * d),
                    };
                    if c * d == 1.0 {
                        return rest;
                    }
                    if c * d == -1.0 {
                        return self.negative(rest);
                    }
                    let factor = self.constant(c * d);
                    self.term(Kind::Binary(Binary::Multiply, factor.min(rest), factor.max(rest)))
                }
            },
            _ => self.term(kind),
        }
    }

    /// The number before a term, if it is one that can be moved, and the rest.
    fn factors(&self, term: Term) -> (f64, Option<Term>) {
        match self.terms[term] {
            Kind::Constant(bits) => (f64::from_bits(bits), None),
            Kind::Binary(Binary::Multiply, a, b) => match (self.value(a), self.value(b)) {
                (Some(c), _) if is_moderate(c) => (c, Some(b)),
                (_, Some(c)) if is_moderate(c) => (c, Some(a)),
                _ => (1.0, Some(term)),
            },
            _ => (1.0, Some(term)),
        }
    }

    fn power(&mut self, base: Term, exponent: f64) -> Term {
        if exponent == 0.0 {
            return self.constant(1.0);
        }
        if exponent == 1.0 {
            return base;
        }
        let exponent = self.constant(exponent);
        self.term(Kind::Binary(Binary::Power, base, exponent))
    }

    fn negative(&mut self, a: Term) -> Term {
        match (self.value(a), self.terms[a]) {
            (Some(x), _) => self.constant(-x),
            (_, Kind::Unary(Unary::Negate, inner)) => inner,
            _ => self.term(Kind::Unary(Unary::Negate, a)),
        }
    }

    fn sum(&mut self, a: Option<Term>, b: Option<Term>) -> Option<Term> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.binary(Binary::Add, a, b)),
            _ => a.or(b),
        }
    }

    /// A derivative times a factor.
    fn times(&mut self, derivative: Option<Term>, factor: Term) -> Option<Term> {
        derivative.map(|derivative| self.binary(Binary::Multiply, derivative, factor))
    }

    /// Derivatives of the terms `of` by a variable; None where it does not occur.
    ///
    /// What does not depend on the variable gives no term, also where its factor is infinite: the exact derivative, where products of
    /// numbers would give 0·∞.
    pub fn derivatives(&mut self, of: &[Option<Term>], axis: usize) -> Vec<Option<Term>> {
        let known = of.iter().flatten().max().map_or(0, |last| last + 1);
        let needed = self.needed(of.iter().flatten().copied());
        let mut derivatives = vec![None; known];
        for term in (0..known).filter(|&term| needed[term]) {
            derivatives[term] = self.derivative(term, axis, &derivatives);
        }
        of.iter().map(|term| derivatives[(*term)?]).collect()
    }

    /// Which terms the terms `of` are made of, themselves included.
    pub fn needed(&self, of: impl Iterator<Item = Term>) -> Vec<bool> {
        let mut needed = vec![false; self.terms.len()];
        of.for_each(|term| needed[term] = true);
        for term in (0..self.terms.len()).rev() {
            if needed[term] {
                self.terms[term]
                    .arguments()
                    .for_each(|argument| needed[argument] = true);
            }
        }
        needed
    }

    fn derivative(&mut self, term: Term, axis: usize, known: &[Option<Term>]) -> Option<Term> {
        match self.terms[term] {
            Kind::Constant(_) | Kind::Sign(_) | Kind::MinTakesSecond(..) | Kind::MaxTakesSecond(..) => None,
            Kind::Variable(variable) => (variable == axis).then(|| self.constant(1.0)),
            Kind::Unary(function, a) => {
                let inner = known[a]?;
                Some(self.chain(function, term, a, inner))
            }
            Kind::SquaredSecant(a) => {
                let inner = known[a]?;
                let tangent = self.term(Kind::Unary(Unary::Tanh, a));
                let product = self.binary(Binary::Multiply, tangent, term);
                let minus_two = self.constant(-2.0);
                let outer = self.binary(Binary::Multiply, minus_two, product);
                Some(self.binary(Binary::Multiply, inner, outer))
            }
            Kind::Select(test, a, b) => self.select(test, known[a], known[b]),
            Kind::Binary(operator, a, b) => {
                let (first, second) = (known[a], known[b]);
                match operator {
                    Binary::Add => self.sum(first, second),
                    Binary::Subtract => match (first, second) {
                        (Some(first), Some(second)) => Some(self.binary(Binary::Subtract, first, second)),
                        (None, Some(second)) => Some(self.negative(second)),
                        _ => first,
                    },
                    Binary::Multiply => {
                        let (first, second) = (self.times(first, b), self.times(second, a));
                        self.sum(first, second)
                    }
                    Binary::Divide => {
                        let second = self.times(second, term);
                        let numerator = match (first, second) {
                            (Some(first), Some(second)) => self.binary(Binary::Subtract, first, second),
                            (None, Some(second)) => self.negative(second),
                            (first, None) => first?,
                        };
                        Some(self.binary(Binary::Divide, numerator, b))
                    }
                    Binary::Power => match self.value(b) {
                        Some(p) => {
                            let first = first?;
                            let (lower, p) = (self.power(a, p - 1.0), self.constant(p));
                            let outer = self.binary(Binary::Multiply, p, lower);
                            Some(self.binary(Binary::Multiply, first, outer))
                        }
                        None => {
                            let log = self.term(Kind::Unary(Unary::Ln, a));
                            let first = first.map(|first| self.binary(Binary::Divide, first, a));
                            let (first, second) = (self.times(first, b), self.times(second, log));
                            let exponent = self.sum(first, second);
                            self.times(exponent, term)
                        }
                    },
                    Binary::Min | Binary::Max => {
                        let takes_second = self.term(if operator == Binary::Min {
                            Kind::MinTakesSecond(a, b)
                        } else {
                            Kind::MaxTakesSecond(a, b)
                        });
                        self.select(takes_second, second, first)
                    }
                }
            }
        }
    }

    fn select(&mut self, test: Term, first: Option<Term>, second: Option<Term>) -> Option<Term> {
        if first == second {
            return first;
        }
        let zero = self.constant(0.0);
        Some(self.term(Kind::Select(test, first.unwrap_or(zero), second.unwrap_or(zero))))
    }

    /// The derivative of `term` = f(`a`), given that of `a`.
    fn chain(&mut self, function: Unary, term: Term, a: Term, inner: Term) -> Term {
        let outer = match function {
            Unary::Negate => return self.negative(inner),
            Unary::Sqrt => {
                let half = self.constant(0.5);
                let numerator = self.binary(Binary::Multiply, inner, half);
                return self.binary(Binary::Divide, numerator, term);
            }
            Unary::Ln => return self.binary(Binary::Divide, inner, a),
            Unary::Atan => {
                let (square, one) = (self.power(a, 2.0), self.constant(1.0));
                let denominator = self.binary(Binary::Add, one, square);
                return self.binary(Binary::Divide, inner, denominator);
            }
            Unary::Exp => term,
            Unary::Sin => self.term(Kind::Unary(Unary::Cos, a)),
            Unary::Cos => {
                let sine = self.term(Kind::Unary(Unary::Sin, a));
                self.negative(sine)
            }
            Unary::Tan => {
                let (square, one) = (self.power(term, 2.0), self.constant(1.0));
                self.binary(Binary::Add, one, square)
            }
            Unary::Sinh => self.term(Kind::Unary(Unary::Cosh, a)),
            Unary::Cosh => self.term(Kind::Unary(Unary::Sinh, a)),
            Unary::Tanh => self.term(Kind::SquaredSecant(a)),
            Unary::Abs => self.term(Kind::Sign(a)),
        };
        self.binary(Binary::Multiply, inner, outer)
    }
}
