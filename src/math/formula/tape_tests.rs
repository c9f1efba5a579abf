//! Blocks against single points, and one instruction set against another.

use super::{Formula, Tape};
use crate::math::{Instructions, LANES, Point, PointBlock};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NAMES: [&str; 2] = ["x", "y"];

fn parse(text: &str) -> Formula<2> {
    Formula::parse(text, &NAMES, &BTreeMap::new()).unwrap()
}

/// Values, gradient and Hessian of a block by each instruction set, which must agree to the bit.
fn block(formula: &Formula<2>, points: &[Point<2>]) -> Vec<[f64; LANES]> {
    let points = PointBlock::of(points);
    let tapes = [
        Tape::values([formula]),
        Tape::gradient(formula),
        Tape::hessian(formula),
    ];
    let by = |instructions| {
        let mut all = Vec::new();
        for (tape, results) in tapes.iter().zip([1, 2, 4]) {
            let mut part = vec![[0.0; LANES]; results];
            tape.evaluate_with(instructions, &points, &mut part);
            all.extend(part);
        }
        all
    };
    let bits = |all: &[[f64; LANES]]| -> Vec<u64> {
        let number = |v: &f64| if v.is_nan() { 0 } else { v.to_bits() };
        all.iter().flatten().map(number).collect()
    };
    let native = by(Instructions::Native);
    for instructions in Instructions::ALL {
        assert_eq!(bits(&native), bits(&by(instructions)));
    }
    native
}

/// Value, gradient and Hessian at a point.
fn pointwise(formula: &Formula<2>, at: &Point<2>) -> Vec<f64> {
    let (value, gradient, hessian) = formula.derivatives(at);
    let rows = hessian.transpose();
    let derivatives = gradient.iter().chain(rows.iter());
    std::iter::once(value).chain(derivatives.copied()).collect()
}

/// Formulas without subtraction, abs and poles for positive variables: every operation on their values is well conditioned.
fn well_conditioned() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("x".to_string()),
        Just("y".to_string()),
        (1_u32..40).prop_map(|n| format!("{}", f64::from(n) / 8.0)),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let unary = prop::sample::select(vec!["sqrt", "atan", "tanh", "sinh", "cosh", "exp"]);
        let power = prop::sample::select(vec!["2", "3", "4", "5", "1.5", "0.5", "-1", "-2", "-0.5", "1.3"]);
        let binary = prop::sample::select(vec!["+", "*", "/"]);
        let choice = prop::sample::select(vec!["min", "max"]);
        prop_oneof![
            4 => (inner.clone(), binary, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            // the arguments of functions are kept near one
            2 => (unary, inner.clone()).prop_map(|(f, a)| format!("{f}({a}/(1 + {a}))")),
            2 => (inner.clone(), power).prop_map(|(a, p)| format!("({a})^{p}")),
            1 => (choice, inner.clone(), inner.clone()).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})^(({b})/(1 + {b}))")),
            1 => (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("if({a} > {b}, {c}, ({a})*({b}))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn values_of_random_formulas_agree_to_a_few_ulps(text in well_conditioned(), seed in 0_u32..1000) {
        let formula = parse(&text);
        let place = |k: usize, irrational: f64| 0.2 + 1.6 * ((k as f64 + f64::from(seed)) * irrational).fract();
        let points: Vec<Point<2>> =
            (0..LANES).map(|k| Point::<2>::new(place(k, 0.754_877_666), place(k, 0.569_840_291))).collect();
        let found = block(&formula, &points);
        for (lane, point) in points.iter().enumerate() {
            let expected = pointwise(&formula, point);
            if !(expected[0].is_finite() && expected[0].abs() > f64::MIN_POSITIVE) {
                continue;
            }
            // A branch on numbers that are equal up to rounding may go either way: such formulas say nothing.
            let near = |h: f64| formula.value(&(point + Point::<2>::new(h, -h)));
            let variation = (near(1e-13) - expected[0]).abs().max((near(-1e-13) - expected[0]).abs());
            if variation > 1e-8 * expected[0].abs() {
                continue;
            }
            // A few roundings an operation, at most some forty of them, amplified by powers up to the fifth of fifth powers.
            let difference = (found[0][lane] - expected[0]).abs();
            prop_assert!(
                difference <= 256.0 * f64::EPSILON * expected[0].abs() + 4.0 * variation,
                "{text} at {point:?}: {} and {}", found[0][lane], expected[0]
            );
            // Derivatives: the same up to cancellation, which their size at nearby points and the value measure.
            let size: f64 = expected[1..].iter().map(|v| v.abs()).sum::<f64>() + expected[0].abs();
            for (k, value) in expected.iter().enumerate().skip(1) {
                let difference = (found[k][lane] - value).abs();
                prop_assert!(
                    !value.is_finite() || difference <= 1e-10 * size,
                    "{text} at {point:?}: derivative {k} is {} and {value}", found[k][lane]
                );
            }
        }
    }
}

/// Each function and rule at places where nothing cancels, to a few ulps of the sum of the sizes of the terms.
#[test]
fn derivatives_agree_to_a_few_ulps() {
    for text in [
        "(x^2 - 1)^2/4 + (1 + x^2)*y^2/2",
        "x^7/3 - 2*x^5*y + y^-3 + (x*y)^2.5",
        "exp(-x*y)*sin(x)",
        "x^3/y",
        "sqrt(x + y)*tanh(y)",
        "(x*y)^(y/2)",
        "atan(x)*ln(y)",
        "cosh(x/2)*tan(y/3)^2",
        "sinh(x - 2*y)*cos(x + y)",
        "abs(x - 1)*min(x, y) + max(x^2, y)",
        "if(x > y, x*y, -y^2)",
        "2^x + x^1.3 + 3*x*4*y*0.5",
        "1/(1 + exp(-10*(x - 1)))",
        "tanh(300*x)*y",
    ] {
        let formula = parse(text);
        let points: Vec<Point<2>> = (0..LANES)
            .map(|k| Point::<2>::new(0.3 + 0.021 * k as f64, 2.1 - 0.017 * k as f64))
            .collect();
        let found = block(&formula, &points);
        for (lane, point) in points.iter().enumerate() {
            let expected = pointwise(&formula, point);
            let size = expected.iter().map(|v| v.abs()).sum::<f64>();
            for (k, value) in expected.iter().enumerate() {
                let difference = (found[k][lane] - value).abs();
                assert!(
                    difference <= 64.0 * f64::EPSILON * size,
                    "{text} at {point:?}, number {k}: {} and {value}",
                    found[k][lane]
                );
            }
        }
    }
}

/// At the ends of the range and beyond, as IEEE 754 has it.
#[test]
fn extreme_arguments_are_those_of_single_points() {
    let places = [
        0.0,
        -0.0,
        1e-310,
        -1e-310,
        5.0,
        -5.0,
        709.5,
        -745.0,
        800.0,
        -800.0,
        1e7,
        1e300,
        -1e300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    let points: Vec<Point<2>> = places.iter().map(|x| Point::<2>::new(*x, 0.5)).collect();
    for function in [
        "exp(x)",
        "ln(x)",
        "sin(x)",
        "cos(x)",
        "tan(x)",
        "sinh(x)",
        "cosh(x)",
        "tanh(x)",
        "sqrt(x)",
        "atan(x)",
        "abs(x)",
        "min(x, y)",
        "max(y, x)",
        "min(y, x)",
        "max(x, y)",
        "x^-1",
        "x^3.3",
        "x^2",
        "if(x > 0, 1, 2)",
        "1/x",
        "x*0 + 1",
    ] {
        let formula = parse(function);
        let mut found = [[0.0; LANES]];
        Tape::values([&formula]).evaluate(&PointBlock::of(&points), &mut found);
        for (lane, point) in points.iter().enumerate() {
            let (value, expected) = (found[0][lane], formula.value(point));
            let same = value == expected || (value.is_nan() && expected.is_nan());
            // the standard library's functions are good to an ulp
            assert!(
                same || (value - expected).abs() <= 8.0 * f64::EPSILON * expected.abs(),
                "{function} at {}: {value} and {expected}",
                point[0]
            );
        }
    }
}

#[test]
fn what_occurs_twice_is_computed_once() {
    let formula = parse("(x^2 - 1)^2/4 + (1 + x^2)*y^2/2");
    // x², −1, square, /4; +1, y², product, /2; sum
    assert_eq!(Tape::values([&formula]).operations(), 9);
    assert_eq!(Tape::values([&formula, &formula]).operations(), 9);
    // x², −1, x·, and y², ·x, sum; 1 + x², ·y
    assert_eq!(Tape::gradient(&formula).operations(), 8);
    assert_eq!(Tape::gradient(&parse("x*0.2*3 + y")).operations(), 2);
}
