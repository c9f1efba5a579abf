//! From text to a tree, by recursive descent; mistakes name the character.

use super::tree::{Binary, Node, Unary, evaluate};
use crate::error::{Error, Result, require_finite};
use std::collections::BTreeMap;

const LONGEST: usize = 4000;
const DEEPEST: usize = 100;

const UNARY: [(&str, Unary); 11] = [
    ("sqrt", Unary::Sqrt),
    ("exp", Unary::Exp),
    ("ln", Unary::Ln),
    ("sin", Unary::Sin),
    ("cos", Unary::Cos),
    ("tan", Unary::Tan),
    ("sinh", Unary::Sinh),
    ("cosh", Unary::Cosh),
    ("tanh", Unary::Tanh),
    ("atan", Unary::Atan),
    ("abs", Unary::Abs),
];

/// Names of other languages, and what to write for them.
const OTHER_NAMES: [(&str, &str); 13] = [
    (
        "log",
        "ln is the natural logarithm, and ln(u)/ln(10) that to base 10",
    ),
    ("log10", "write ln(u)/ln(10)"),
    ("log2", "write ln(u)/ln(2)"),
    ("pow", "write x^2 for a power"),
    ("arctan", "write \"atan\""),
    ("e", "write exp(1)"),
    ("E", "write exp(1)"),
    ("Pi", "write \"pi\""),
    ("PI", "write \"pi\""),
    ("fabs", "write \"abs\""),
    ("Abs", "write \"abs\""),
    ("where", "write if(a > b, u, v)"),
    ("np", "write the functions without a module before them"),
];

struct Parser<'a> {
    text: &'a str,
    characters: Vec<char>,
    at: usize,
    depth: usize,
    variables: &'a [&'a str],
    parameters: &'a BTreeMap<String, f64>,
}

pub(super) fn formula(text: &str, variables: &[&str], parameters: &BTreeMap<String, f64>) -> Result<Node> {
    let mut parser = Parser::new(text, variables, parameters)?;
    let node = parser.sum()?;
    parser.end()?;
    Ok(node)
}

pub(super) fn condition(text: &str, variables: &[&str], parameters: &BTreeMap<String, f64>) -> Result<Node> {
    let mut parser = Parser::new(text, variables, parameters)?;
    let node = parser.comparison()?;
    parser.end()?;
    Ok(node)
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, variables: &'a [&'a str], parameters: &'a BTreeMap<String, f64>) -> Result<Self> {
        let parser = Self {
            text,
            characters: text.chars().collect(),
            at: 0,
            depth: 0,
            variables,
            parameters,
        };
        if parser.characters.len() > LONGEST {
            return Err(parser.mistake(LONGEST, "the text is too long"));
        }
        for (i, name) in variables.iter().enumerate() {
            if is_reserved(name) || !is_name(name) || variables[..i].contains(name) {
                return Err(parser.mistake(0, &format!("{name:?} cannot be the name of a variable")));
            }
        }
        for (name, &value) in parameters {
            if is_reserved(name) || !is_name(name) || variables.contains(&name.as_str()) {
                return Err(parser.mistake(0, &format!("{name:?} cannot be the name of a parameter")));
            }
            require_finite(name, value)?;
        }
        Ok(parser)
    }

    fn mistake(&self, at: usize, message: &str) -> Error {
        let mut expression: String = self.text.chars().take(120).collect();
        if expression.len() < self.text.len() {
            expression.push('…');
        }
        Error::Expression {
            expression,
            message: format!("character {}: {message}", at + 1),
        }
    }

    fn peek(&mut self) -> Option<char> {
        while self.characters.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.characters.get(self.at).copied()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Accepts `^`, and `**` as other languages write it.
    fn accept_power(&mut self) -> bool {
        if self.peek() == Some('*') && self.characters.get(self.at + 1) == Some(&'*') {
            self.at += 2;
            return true;
        }
        self.accept('^')
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        if self.accept(wanted) {
            return Ok(());
        }
        Err(self.unexpected(&format!("{wanted:?}")))
    }

    fn unexpected(&mut self, wanted: &str) -> Error {
        let found = match self.peek() {
            Some(c) => format!("{c:?}"),
            None => "the end".into(),
        };
        self.mistake(self.at, &format!("{wanted} is wanted here, not {found}"))
    }

    fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(c) if is_letter(c) || c.is_ascii_digit() || c == '(' => Err(self.mistake(
                self.at,
                &format!("an operator is wanted before {c:?}; a product is written with *"),
            )),
            Some(_) => Err(self.unexpected("an operator or the end")),
        }
    }

    fn comparison(&mut self) -> Result<Node> {
        let left = self.sum()?;
        Ok(if self.accept('>') {
            binary(Binary::Subtract, left, self.sum()?)
        } else if self.accept('<') {
            binary(Binary::Subtract, self.sum()?, left)
        } else {
            left
        })
    }

    fn sum(&mut self) -> Result<Node> {
        let mut node = self.product()?;
        loop {
            let operator = if self.accept('+') {
                Binary::Add
            } else if self.accept('-') {
                Binary::Subtract
            } else {
                return Ok(node);
            };
            node = binary(operator, node, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Node> {
        let mut node = self.unary()?;
        loop {
            let operator = if self.accept('*') {
                Binary::Multiply
            } else if self.accept('/') {
                Binary::Divide
            } else {
                return Ok(node);
            };
            node = binary(operator, node, self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.mistake(self.at, "nested too deeply"));
        }
        let node = if self.accept('-') {
            fold(Node::Unary(Unary::Negate, Box::new(self.unary()?)))
        } else if self.accept('+') {
            self.unary()?
        } else {
            let base = self.atom()?;
            if self.accept_power() {
                match self.unary()? {
                    Node::Constant(p) => fold(Node::Power(Box::new(base), p)),
                    exponent => binary(Binary::Power, base, exponent),
                }
            } else {
                base
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let node = self.sum()?;
                self.expect(')')?;
                Ok(node)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if is_letter(c) => self.name(),
            _ => Err(self.unexpected("a number, a name or a parenthesis")),
        }
    }

    fn number(&mut self) -> Result<Node> {
        let start = self.at;
        let digits = |from: usize, characters: &[char]| {
            characters[from..]
                .iter()
                .take_while(|c| c.is_ascii_digit() || **c == '.')
                .count()
        };
        self.at += digits(start, &self.characters);
        if matches!(self.characters.get(self.at), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.characters.get(self.at + 1), Some('+' | '-')));
            let from = self.at + 1 + sign;
            let exponent = self.characters[from.min(self.characters.len())..]
                .iter()
                .take_while(|c| c.is_ascii_digit())
                .count();
            if exponent > 0 {
                self.at = from + exponent;
            }
        }
        let text: String = self.characters[start..self.at].iter().collect();
        let next = self.characters.get(self.at).copied();
        if let Some(c) = next.filter(|c| is_letter(*c) || *c == '(') {
            let name: String = self.characters[self.at..]
                .iter()
                .copied()
                .take_while(|c| is_letter(*c))
                .collect();
            let factor = if name.is_empty() { c.to_string() } else { name };
            return Err(self.mistake(
                self.at,
                &format!("a product is written with *: write {text}*{factor}"),
            ));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Node::Constant(value)),
            _ => Err(self.mistake(start, &format!("{text:?} is not a number"))),
        }
    }

    fn name(&mut self) -> Result<Node> {
        let start = self.at;
        let length = self.characters[start..]
            .iter()
            .take_while(|c| is_letter(**c) || c.is_ascii_digit())
            .count();
        self.at += length;
        let name: String = self.characters[start..self.at].iter().collect();
        if let Some(axis) = self.variables.iter().position(|v| *v == name) {
            return Ok(Node::Variable(axis));
        }
        if let Some(&value) = self.parameters.get(&name) {
            return Ok(Node::Constant(value));
        }
        if let Some(&(_, function)) = UNARY.iter().find(|(known, _)| *known == name) {
            self.expect('(')?;
            let argument = self.sum()?;
            self.expect(')')?;
            return Ok(fold(Node::Unary(function, Box::new(argument))));
        }
        match name.as_str() {
            "pi" => Ok(Node::Constant(std::f64::consts::PI)),
            "min" | "max" => {
                self.expect('(')?;
                let first = self.sum()?;
                self.expect(',')?;
                let second = self.sum()?;
                self.expect(')')?;
                let operator = if name == "min" { Binary::Min } else { Binary::Max };
                Ok(binary(operator, first, second))
            }
            "if" => {
                self.expect('(')?;
                let test = self.comparison()?;
                self.expect(',')?;
                let first = self.sum()?;
                self.expect(',')?;
                let second = self.sum()?;
                self.expect(')')?;
                Ok(Node::If(Box::new([test, first, second])))
            }
            _ => {
                if let Some((_, fix)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
                    return Err(self.mistake(start, &format!("{name:?} is not known: {fix}")));
                }
                let known: Vec<&str> = self
                    .variables
                    .iter()
                    .copied()
                    .chain(self.parameters.keys().map(String::as_str))
                    .collect();
                Err(self.mistake(
                    start,
                    &format!(
                        "{name:?} is not known; known are {}, pi, if, min, max, {}",
                        known.join(", "),
                        UNARY.map(|(name, _)| name).join(", ")
                    ),
                ))
            }
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name(name: &str) -> bool {
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

fn is_reserved(name: &str) -> bool {
    ["pi", "min", "max", "if"].contains(&name) || UNARY.iter().any(|(known, _)| *known == name)
}

fn binary(operator: Binary, left: Node, right: Node) -> Node {
    fold(Node::Binary(operator, Box::new([left, right])))
}

/// The value of a node whose arguments are constants.
fn fold(node: Node) -> Node {
    let is_constant = |node: &Node| matches!(node, Node::Constant(_));
    let folds = match &node {
        Node::Unary(_, argument) | Node::Power(argument, _) => is_constant(argument),
        Node::Binary(_, arguments) => arguments.iter().all(is_constant),
        _ => false,
    };
    if folds {
        Node::Constant(evaluate::<f64>(&node, &[]))
    } else {
        node
    }
}
