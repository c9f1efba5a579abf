//! Which source file uses which: every path of a crate's sources, followed to the file that defines what it names.
//!
//! A file is cut into tokens; items behind `#[cfg(test)]` are dropped. `mod` builds the tree of modules, items and `use` fill the
//! scope of each, and every path in the code is walked through these scopes, across re-exports, to a file.
//!
//! # Limitations
//! No macros are expanded: what a file that calls a macro between its items lacks counts as made by the macro. A call of a method is seen only by the name of its type or trait.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Path below `src/` to text.
pub type Sources = BTreeMap<String, String>;

/// File to the files that it uses, each with one path that does so.
#[derive(Debug, Default)]
pub struct Graph {
    pub edges: BTreeMap<String, BTreeMap<String, String>>,
}

/// The name under which `main.rs` knows the library.
const LIBRARY: &str = "freezeout";

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    /// `::`
    Separator,
    Sign(char),
}

/// What a name stands for in the scope of a module.
#[derive(Debug, Clone)]
enum Meaning {
    /// An item of this very file.
    Item,
    Module(usize),
    Import(Vec<String>),
}

#[derive(Debug, Default)]
struct Module {
    file: String,
    parent: Option<usize>,
    scope: BTreeMap<String, Vec<Meaning>>,
    globs: Vec<Vec<String>>,
    /// Paths of `use` without `pub`.
    imports: Vec<Vec<String>>,
    /// Paths of `pub use`.
    exports: Vec<Vec<String>>,
    /// Code without `use` items.
    code: Vec<Token>,
    /// A macro is called where items stand.
    has_generated_items: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File(String),
    Module(usize),
}

#[derive(Debug, Default)]
struct Tree {
    modules: Vec<Module>,
    library: Option<usize>,
}

impl Graph {
    /// # Panics
    /// When a `mod x;` has no file or a path that begins with `crate`, `super` or `self` leads nowhere.
    pub fn read(sources: &Sources) -> Self {
        let mut tree = Tree::default();
        for root in ["lib.rs", "main.rs"] {
            if let Some(text) = sources.get(root) {
                let module = tree.add(sources, root, "", None, &without_tests(&tokens(text)));
                if root == "lib.rs" {
                    tree.library = Some(module);
                }
            }
        }
        let mut graph = Self::default();
        for module in 0..tree.modules.len() {
            graph.edges.entry(tree.modules[module].file.clone()).or_default();
            for (path, file) in tree.uses(module) {
                graph
                    .edges
                    .entry(tree.modules[module].file.clone())
                    .or_default()
                    .entry(file)
                    .or_insert(path);
            }
        }
        graph
    }

    /// The files of each strongly connected component of more than one file, with a shortest circle through it.
    pub fn circles(&self) -> Vec<(BTreeSet<String>, Vec<String>)> {
        let reached: BTreeMap<&String, BTreeSet<&String>> = self
            .edges
            .keys()
            .map(|from| (from, self.distances(from).into_keys().collect()))
            .collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for file in self.edges.keys() {
            let component: BTreeSet<String> = reached[file]
                .iter()
                .filter(|other| reached.get(**other).is_some_and(|back| back.contains(file)))
                .map(|other| (*other).clone())
                .collect();
            if component.is_empty() || !seen.insert(component.clone()) {
                continue;
            }
            let shortest = component
                .iter()
                .map(|from| self.circle_through(from))
                .min_by_key(Vec::len)
                .unwrap_or_default();
            circles.push((component, shortest));
        }
        circles
    }

    /// Files that `from` reaches by one or more edges, each with the one before it on a shortest way.
    fn distances<'a>(&'a self, from: &'a String) -> BTreeMap<&'a String, &'a String> {
        let mut before = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(file) = queue.pop_front() {
            for next in self.edges.get(file).into_iter().flat_map(BTreeMap::keys) {
                if !before.contains_key(next) {
                    before.insert(next, file);
                    queue.push_back(next);
                }
            }
        }
        before
    }

    fn circle_through(&self, from: &String) -> Vec<String> {
        let before = self.distances(from);
        let mut circle = vec![from.clone()];
        let mut file = before[from];
        while file != from {
            circle.push(file.clone());
            file = before[file];
        }
        circle.push(from.clone());
        circle.reverse();
        circle
    }
}

impl Tree {
    /// Adds the module whose body is `body`, with its children, and returns its place in the list.
    fn add(
        &mut self,
        sources: &Sources,
        file: &str,
        folder: &str,
        parent: Option<usize>,
        body: &[Token],
    ) -> usize {
        let index = self.modules.len();
        self.modules.push(Module {
            file: file.into(),
            parent,
            ..Module::default()
        });
        let mut at = 0;
        let mut depth = 0_usize;
        let mut public = false;
        while at < body.len() {
            let name = |i: usize| match body.get(i) {
                Some(Token::Name(name)) => Some(name.clone()),
                _ => None,
            };
            let word = name(at).unwrap_or_default();
            match (&body[at], word.as_str()) {
                (_, "use") => {
                    let end = at + body[at..].iter().position(|t| *t == Token::Sign(';')).unwrap();
                    self.modules[index].read_use(&body[at + 1..end], &[], public && depth == 0);
                    at = end + 1;
                    public = false;
                    continue;
                }
                (_, "mod") if depth == 0 && name(at + 1).is_some() => {
                    let child_name = name(at + 1).unwrap();
                    let below = format!("{folder}{child_name}/");
                    let child = if body[at + 2] == Token::Sign(';') {
                        at += 3;
                        let child_file = [format!("{folder}{child_name}.rs"), format!("{below}mod.rs")]
                            .into_iter()
                            .find(|f| sources.contains_key(f))
                            .unwrap_or_else(|| panic!("mod {child_name} of {file} has no file"));
                        let body = without_tests(&tokens(&sources[&child_file]));
                        self.add(sources, &child_file, &below, Some(index), &body)
                    } else {
                        let end = closing(body, at + 2);
                        let inner = &body[at + 3..end];
                        at = end + 1;
                        self.add(sources, file, &below, Some(index), inner)
                    };
                    self.modules[index].mean(&child_name, Meaning::Module(child));
                    public = false;
                    continue;
                }
                (_, "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union")
                    if depth == 0 =>
                {
                    if let Some(item) = name(at + 1)
                        && !["fn", "unsafe", "mut", "extern", "async"].contains(&item.as_str())
                    {
                        self.modules[index].mean(&item, Meaning::Item);
                    }
                }
                (_, "macro_rules") if depth == 0 => {
                    if let Some(item) = name(at + 2) {
                        self.modules[index].mean(&item, Meaning::Item);
                    }
                }
                (Token::Name(_), _) if depth == 0 && body.get(at + 1) == Some(&Token::Sign('!')) => {
                    self.modules[index].has_generated_items = true;
                }
                (Token::Sign('{' | '(' | '['), _) => depth += 1,
                (Token::Sign('}' | ')' | ']'), _) => depth -= 1,
                _ => {}
            }
            // Visibility lasts until the item it belongs to: `pub`, `pub(crate)`, `pub(in crate::x)`.
            match &body[at] {
                Token::Name(word) if word == "pub" => public = true,
                Token::Sign(';' | '}') => public = false,
                _ => {}
            }
            self.modules[index].code.push(body[at].clone());
            at += 1;
        }
        index
    }

    /// Paths of a module with the other files they lead to.
    fn uses(&self, index: usize) -> Vec<(String, String)> {
        let module = &self.modules[index];
        let mut found = Vec::new();
        let mut keep = |path: &[String], places: Vec<Place>, own: bool| {
            for place in places {
                if let Place::File(file) = place
                    && file != module.file
                    && !(own && self.is_below(index, &file))
                {
                    found.push((path.join("::"), file));
                }
            }
        };
        for path in &module.imports {
            keep(path, self.walk(index, path, &mut BTreeSet::new()), false);
        }
        // Handing out what stands below is the business of a module; taking from elsewhere is a use.
        for path in &module.exports {
            keep(path, self.walk(index, path, &mut BTreeSet::new()), true);
        }
        for path in &module.globs {
            keep(path, self.walk(index, path, &mut BTreeSet::new()), false);
        }
        for path in paths(&module.code) {
            keep(&path, self.walk(index, &path, &mut BTreeSet::new()), false);
        }
        found
    }

    fn is_below(&self, index: usize, file: &str) -> bool {
        self.modules.iter().any(|m| {
            m.file == file && {
                let mut up = m.parent;
                while up.is_some_and(|u| u != index) {
                    up = self.modules[up.unwrap()].parent;
                }
                up.is_some()
            }
        })
    }

    /// Where a path written in module `index` leads; nowhere for names of other crates, of variables and of fields.
    fn walk(&self, index: usize, path: &[String], visited: &mut BTreeSet<(usize, String)>) -> Vec<Place> {
        let mut module = index;
        let mut rest = path;
        let mut anchored = false;
        while let Some(first) = rest.first() {
            module = match first.as_str() {
                "crate" => {
                    let mut root = module;
                    while let Some(up) = self.modules[root].parent {
                        root = up;
                    }
                    root
                }
                LIBRARY if !anchored && self.library.is_some() => self.library.unwrap(),
                "self" => module,
                "super" => self.modules[module].parent.unwrap(),
                _ => break,
            };
            anchored = true;
            rest = &rest[1..];
        }
        let places = self.descend(module, rest, visited);
        assert!(
            !anchored || !places.is_empty() || !visited.is_empty(),
            "{}: nothing found behind {}",
            self.modules[index].file,
            path.join("::")
        );
        places
    }

    fn descend(&self, module: usize, rest: &[String], visited: &mut BTreeSet<(usize, String)>) -> Vec<Place> {
        let Some(name) = rest.first() else {
            return vec![Place::Module(module)];
        };
        let places = self.look_up(module, name, visited);
        let inner: Vec<Place> = places
            .iter()
            .filter(|_| rest.len() > 1)
            .filter_map(|place| match place {
                Place::Module(m) => Some(self.descend(*m, &rest[1..], visited)),
                Place::File(_) => None,
            })
            .flatten()
            .collect();
        if !inner.is_empty() {
            return inner;
        }
        // The rest of the path are variants or methods; a name can be a module and an item at once.
        let items: Vec<Place> = places
            .iter()
            .filter(|p| matches!(p, Place::File(_)))
            .cloned()
            .collect();
        match (items.is_empty(), rest.len()) {
            (true, 1) if places.is_empty() && self.modules[module].has_generated_items => {
                vec![Place::File(self.modules[module].file.clone())]
            }
            (true, 1) => places,
            _ => items,
        }
    }

    fn look_up(&self, module: usize, name: &str, visited: &mut BTreeSet<(usize, String)>) -> Vec<Place> {
        // `use flux::flux`: on the way to the origin of a name its module must still be found.
        let first = visited.insert((module, name.to_owned()));
        let here = &self.modules[module];
        let mut places = Vec::new();
        for meaning in here.scope.get(name).into_iter().flatten() {
            match meaning {
                Meaning::Item => places.push(Place::File(here.file.clone())),
                Meaning::Module(child) => places.push(Place::Module(*child)),
                Meaning::Import(path) if first => {
                    let origin = self.walk(module, path, visited);
                    if origin.is_empty() {
                        places.push(Place::File(here.file.clone())); // an item of another crate, handed on here
                    }
                    places.extend(origin);
                }
                Meaning::Import(_) => {}
            }
        }
        if !first {
            return places;
        }
        if places.is_empty() {
            for path in &here.globs {
                for place in self.walk(module, path, visited) {
                    if let Place::Module(m) = place {
                        places.extend(self.look_up(m, name, visited));
                    }
                }
            }
        }
        visited.remove(&(module, name.to_owned()));
        places
    }
}

impl Module {
    fn mean(&mut self, name: &str, meaning: Meaning) {
        self.scope.entry(name.into()).or_default().push(meaning);
    }

    /// One tree of a `use`, behind the segments in `before`.
    fn read_use(&mut self, tree: &[Token], before: &[String], public: bool) {
        let mut path = before.to_vec();
        let mut alias = None;
        let mut at = 0;
        while at < tree.len() {
            match &tree[at] {
                Token::Name(word) if word == "as" => {
                    if let Some(Token::Name(name)) = tree.get(at + 1) {
                        alias = Some(name.clone());
                    }
                    break;
                }
                Token::Name(word) if word == "self" && !path.is_empty() => {}
                Token::Name(word) => path.push(word.clone()),
                Token::Sign('*') => return self.globs.push(path),
                Token::Sign('{') => {
                    for branch in branches(&tree[at + 1..closing(tree, at)]) {
                        self.read_use(branch, &path, public);
                    }
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        if let Some(name) = alias.or_else(|| path.last().cloned()) {
            self.mean(&name, Meaning::Import(path.clone()));
            if public {
                self.exports.push(path);
            } else {
                self.imports.push(path);
            }
        }
    }
}

/// The parts between the commas of the outermost level.
fn branches(list: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    list.split(|token| {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth -= 1,
            _ => {}
        }
        depth == 0 && *token == Token::Sign(',')
    })
    .filter(|branch| !branch.is_empty())
    .collect()
}

/// Index of the bracket that closes the one at `open`.
fn closing(code: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in code.iter().enumerate().skip(open) {
        match token {
            Token::Sign('{' | '(' | '[') => depth += 1,
            Token::Sign('}' | ')' | ']') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i;
        }
    }
    panic!("a bracket is not closed");
}

/// Paths `a::b::c` of the code, and single names that stand for a type or are called.
fn paths(code: &[Token]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let Token::Name(first) = &code[at] else {
            at += 1;
            continue;
        };
        let previous = at.checked_sub(1).map(|i| &code[i]);
        let mut path = vec![first.clone()];
        at += 1;
        while let (Some(Token::Separator), Some(Token::Name(next))) = (code.get(at), code.get(at + 1)) {
            path.push(next.clone());
            at += 2;
        }
        let continues = previous == Some(&Token::Separator) || previous == Some(&Token::Sign('.'));
        let defines = previous == Some(&Token::Name("fn".into()));
        let single = first.starts_with(char::is_uppercase)
            || matches!(code.get(at), Some(Token::Sign('(' | '!') | Token::Separator));
        let keyword = ["crate", "self", "super"].contains(&first.as_str());
        if !continues && !defines && (path.len() > 1 || (single && !keyword)) {
            found.push(path);
        }
    }
    found
}

/// The code without items behind `#[cfg(test)]` and without attributes.
fn without_tests(code: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    let mut test = false;
    while at < code.len() {
        let open = match (&code[at], code.get(at + 1), code.get(at + 2)) {
            (Token::Sign('#'), Some(Token::Sign('[')), _) => Some(at + 1),
            (Token::Sign('#'), Some(Token::Sign('!')), Some(Token::Sign('['))) => Some(at + 2),
            _ => None,
        };
        if let Some(open) = open {
            let end = closing(code, open);
            let words: Vec<&Token> = code[open..end]
                .iter()
                .filter(|t| matches!(t, Token::Name(_)))
                .collect();
            test |= words == [&Token::Name("cfg".into()), &Token::Name("test".into())];
            at = end + 1;
        } else if test {
            // An item ends with its first block or with a semicolon.
            while !matches!(code[at], Token::Sign(';' | '{')) {
                at = if matches!(code[at], Token::Sign('(' | '[')) {
                    closing(code, at) + 1
                } else {
                    at + 1
                };
            }
            at = match &code[at] {
                Token::Sign('{') => closing(code, at) + 1,
                _ => at + 1,
            };
            test = false;
        } else {
            kept.push(code[at].clone());
            at += 1;
        }
    }
    kept
}

/// Names and signs of a source text; comments, literals and lifetimes are left out.
fn tokens(text: &str) -> Vec<Token> {
    let text: Vec<char> = text.chars().collect();
    let next = |i: usize| text.get(i).copied().unwrap_or(' ');
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let c = text[at];
        if c == '/' && next(at + 1) == '/' {
            while at < text.len() && text[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next(at + 1) == '*' {
            let mut depth = 0;
            loop {
                match (next(at), next(at + 1)) {
                    ('/', '*') => (depth, at) = (depth + 1, at + 2),
                    ('*', '/') => (depth, at) = (depth - 1, at + 2),
                    _ => at += 1,
                }
                if depth == 0 || at >= text.len() {
                    break;
                }
            }
        } else if c == '"' {
            at += 1;
            while next(at) != '"' {
                at += if text[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' {
            if next(at + 1) == '\\' {
                at += 3;
                while next(at) != '\'' {
                    at += 1;
                }
                at += 1;
            } else if next(at + 2) == '\'' {
                at += 3;
            } else {
                at += 2; // a lifetime: its name is a name of nothing
                while next(at).is_alphanumeric() || next(at) == '_' {
                    at += 1;
                }
            }
        } else if c.is_alphabetic() || c == '_' {
            let start = at;
            while next(at).is_alphanumeric() || next(at) == '_' {
                at += 1;
            }
            let word: String = text[start..at].iter().collect();
            let hashes = text[at..].iter().take_while(|c| **c == '#').count();
            if ["r", "br", "cr"].contains(&word.as_str()) && next(at + hashes) == '"' {
                at += hashes + 1;
                while !(text[at] == '"'
                    && text[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes)
                {
                    at += 1;
                }
                at += 1 + hashes;
            } else if !(["b", "c"].contains(&word.as_str()) && ['"', '\''].contains(&next(at))) {
                found.push(Token::Name(word));
            }
        } else if c.is_ascii_digit() {
            while next(at).is_alphanumeric() || next(at) == '_' {
                at += 1;
            }
        } else if c == ':' && next(at + 1) == ':' {
            found.push(Token::Separator);
            at += 2;
        } else {
            if !c.is_whitespace() {
                found.push(Token::Sign(c));
            }
            at += 1;
        }
    }
    found
}
