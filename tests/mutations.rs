//! Configurations changed at random: the program answers every one with exit code 0, 1 or 2 and at most one line of error, within its memory, and what
//! runs for long says so first.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use toml::{Table, Value};

/// Mutants of the test run; `FREEZEOUT_FUZZ` of `make fuzz` multiplies them.
const MUTANTS: usize = 600;
/// Time after which a run must have said how long it takes: what is estimated below a minute says nothing, and estimates are good to a factor.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time for which a run is watched that has said so.
const WATCHED: Duration = Duration::from_secs(2);

/// Networks, which do not go together with the landscapes of the others.
const NETWORK: &str = r#"
name = "networks"
[network]
hidden = [4, 4]
train = 2
test = 3
learning_rate = [0.1, 0.5]
batch_size = [5]
repeats = 2
time = 4.0
checkpoints = 5
scan_every = 2
directions = 10
[network_escape]
hidden = [4, 4]
train = 2
test = 3
batch_size = 5
time = 8.0
sections = [1.0, 2.0, 4.0, 6.0]
restarts = 2
horizon = 2.0
looks = 1
parts = 8
string_steps = 3
[network_schedules]
hidden = [4, 4]
train = 2
test = 3
batch_size = 5
time = 4.0
lever = "batch_size"
factor = 2
change = [1.0]
repeats = 2
"#;

/// Small configurations of all other tasks, quick to run.
const SMALL: [&str; 13] = [
    r#"
name = "shift"
[landscape]
loss = "(x^2 - 1)^2/4 + y^2/2"
variables = ["x", "y"]
[noise]
model = "random_shift"
covariance = [[0.1, 0.0], [0.0, 0.1]]
points = 5
floor = 0.1
[sgd]
noise_strength = 0.5
[region]
domain = [[-2.0, 2.0], [-1.5, 1.5]]
sublevel = 2.0
within = { expression = "x + y < 3" }
edge = "reflecting"
window = { expression = "y > 1.2" }
[escape]
cells = [12, 10]
reach = 4
jump_drift = "integral"
start = { ball = { centre = [-1.0, 0.0], radius = 0.0 } }
target = { expression = "x > 0.5" }
density_times = [0.5]
[escape.path]
to = [1.0, 0.0]
points = 8
bend = 0.2
"#,
    r#"
name = "line"
[landscape]
loss = "barrier*(x^2 - 1)^2"
parameters = { barrier = 0.25 }
variables = ["x"]
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [[-2.5, 2.5]]
boundaries = [["reflecting", "reflecting"]]
[escape]
cells = [40]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }
slow_modes = 2
first_passage_times = [1.0, 10.0]
density_times = [1.0]
concentrate = [{ axis = 0, at = 0.0, width = 0.5, factor = 2.0 }]
[escape.path]
to = [1.0]
points = 16
[escape.simulation]
runs = 20
"#,
    r#"
name = "plane"
[landscape]
model = "mueller_brown"
[noise]
tensor = [[15.0, 0.0], [0.0, "15 + x^2"]]
calculus = "stratonovich"
[region]
domain = [[-1.5, 1.2], [-0.5, 2.0]]
[escape]
cells = [12, 12]
start = { ball = { centre = [-0.558, 1.442], radius = 0.0 } }
target = { box = { lower = [0.4, -0.2], upper = [0.8, 0.2] } }
"#,
    r#"
name = "steps"
[landscape]
model = "quadratic"
hessian = [[1.0]]
minimum = [0.0]
[noise]
tensor = [[1.0]]
[sgd]
learning_rate = 0.1
batch_size = 4.0
[region]
domain = [[-3.0, 3.0]]
[transfer_operator]
start = { ball = { centre = [0.0], radius = 0.0 } }
target = { half_space = { normal = [1.0], offset = 0.3 } }
"#,
    r#"
name = "inertia"
[landscape]
loss = "(x^2 - 1)^2/4"
[noise]
model = "isotropic"
strength = 1.0
[sgd]
learning_rate = 0.01
batch_size = 1.0
[region]
domain = [[-2.0, 2.0]]
[phase_space]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { half_space = { normal = [1.0], offset = 0.9 } }
momentum = [0.9]
columns = 10
levels = 3
"#,
    r#"
name = "laws"
[landscape]
model = "two_valley"
[noise_laws]
learning_rate = 0.02
batch_size = [4, 2]
momentum = [0.5]
stability = [1.5]
labels = true
rms = true
samples = [8]
runs = 4
steps = 200
start_y = 1.0
"#,
    r#"
name = "rare"
[landscape]
loss = "(x^2 - 1)^2/4 + y^2/2 + z^2"
variables = ["x", "y", "z"]
[noise]
model = "isotropic"
strength = 1.0
[rare_events]
start = { ball = { centre = [-1.0, 0.0, 0.0], radius = 0.0 } }
target = { half_space = { normal = [1.0, 0.0, 0.0], offset = 1.0 } }
noise_strength = [0.1]
time_step = 0.1
reaction_coordinate = "x + 0.1*y"
departure = -0.7
replicas = 4
repetitions = 3
most_steps = 100000
"#,
    r#"
name = "coupled"
[landscape]
model = "double_well"
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [[-2.6, 2.6]]
[coupled]
dimension = [2, 3]
coupling = [0.02]
largest_rate = 3.0
others = "x^2"
form = "star"
points = 80
cells = 8
"#,
    r#"
name = "points"
[landscape]
loss = "(x^2 - 1)^2/4 + 0.1*x + y^2/2"
variables = ["x", "y"]
[noise]
model = "isotropic"
strength = 1.0
[region]
domain = [[-2.0, 2.0], [-1.0, 1.0]]
[critical_points]
starts = 10
noise_strength = [0.02, 0.01]
mobility = [[1.0, 0.1], [0.1, 2.0]]
"#,
    r#"
name = "valleys"
seed = 7
[landscape]
model = "two_valley"
flatness_at = 20.0
[noise]
model = "hessian_power"
power = 1.0
floor = 1e-8
[phase_diagram]
learning_rate = [0.05]
sigma = { from = 0.02, to = 0.1, points = 2, scale = "log" }
runs = 20
steps = 200
[freezing_line]
sigma = [0.05]
runs = 10
steps = 300
records = 10
[trajectories]
runs = 2
steps = 100
record_every = 10
[ablations]
noise_strength = [1e-3]
runs = 10
steps = 100
"#,
    r#"
name = "slices"
[surface]
x = { from = -1.0, to = 1.0, points = 5 }
y = [1.0, 2.0]
[slices]
y = [5.0]
noise_strength = [2e-3]
walkers = 16
[effective_potential]
y = 5.0
cells = 50
domain = [-1.5, 1.8]
[freezing_theory]
noise_strength = 1e-3
nodes = 8
end_y = 50.0
[stationary_map]
y = [5.0]
noise_strength = [1e-3]
"#,
    r#"
name = "sweep"
[landscape]
model = "double_well"
barrier = 0.25
[noise]
model = "loss_scaled"
residual_loss = 0.1
floor = 0.1
strength = 0.1
[region]
domain = [[-2.5, 2.5]]
[escape]
cells = [30]
start = { basin = { of = [-1.0] } }
target = { all = [{ half_space = { normal = [1.0], offset = 0.5 } }, { box = { lower = [0.0], upper = [1.5] } }] }
[[sweep]]
parameter = "landscape.barrier"
values = [0.2, 0.3]
[[sweep]]
parameter = "noise.strength"
values = { from = 0.1, to = 0.2, points = 2, scale = "linear" }
"#,
    r#"
name = "drift"
[landscape]
drift = ["x - x^3 - 10*x*y^2", "-(1 + x^2)*y"]
kinks = [{ axis = 0, position = 0.0 }]
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [[-2.0, 2.0], [-1.0, 1.0]]
boundaries = [["reflecting", "absorbing"], ["periodic", "periodic"]]
[escape]
cells = [12, 10]
start = { ball = { centre = [-1.0, 0.0], radius = 0.0 } }
target = { ellipse = { centre = [1.0, 0.0], semi_axes = [0.3, 0.3], angle = 0.1 } }
"#,
];

/// The examples and the validation cases: checked, not run.
fn large() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["paper/experiments", "validation"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files.push(path.join("case.toml"));
            } else if path.extension().is_some_and(|e| e == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    let text = |path: &PathBuf| {
        let mut table: Table = fs::read_to_string(path).unwrap().parse().unwrap();
        table.remove("check");
        table.to_string()
    };
    files.iter().map(text).collect()
}

type Random = Xoshiro256PlusPlus;

fn choose<'a, T>(random: &mut Random, of: &'a [T]) -> &'a T {
    &of[random.random_range(0..of.len())]
}

/// A way to an entry: keys and indices.
fn paths(value: &Value, here: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Table(table) => table.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(array) => array
            .iter()
            .enumerate()
            .map(|(k, v)| (k.to_string(), v))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        here.push(key);
        found.push(here.clone());
        paths(value, here, found);
        here.pop();
    }
}

fn entry<'a>(value: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Table(table) => table.get_mut(key).unwrap(),
        Value::Array(array) => &mut array[key.parse::<usize>().unwrap()],
        _ => unreachable!(),
    })
}

fn number(random: &mut Random, old: f64) -> Value {
    let floats = [
        0.0,
        -0.0,
        -1.0,
        1e308,
        -1e308,
        5e-324,
        1e-300,
        1e-12,
        1e5,
        1e12,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.5,
        old * 1e6,
        old * 1e-6,
        -old,
        old * 1.7,
    ];
    let integers = [
        0,
        1,
        2,
        3,
        -1,
        1000,
        100_000,
        400_000_000,
        8_000_000_000_000,
        i64::MAX,
        i64::MIN,
        u32::MAX.into(),
    ];
    if random.random::<bool>() {
        Value::Float(*choose(random, &floats))
    } else {
        Value::Integer(*choose(random, &integers))
    }
}

const TEXTS: [&str; 24] = [
    "",
    "x",
    "x^2 +",
    "1/0",
    "x/0",
    "ln(-1)",
    "if(x > 0, 1, 0)",
    "0*x",
    "((((((((((",
    "1e999",
    "x**2",
    "2x",
    "log(x)",
    "θ^2",
    "\u{1b}[31m",
    "\u{202e}abc",
    "a\nb",
    "\u{0}",
    "..",
    "/dev/zero",
    "💥",
    "exp(1000*x)",
    "x > 0 > 1",
    "isotropic",
];

fn other(random: &mut Random) -> Value {
    match random.random_range(0..7) {
        0 => Value::String((*choose(random, &TEXTS)).into()),
        1 => Value::Boolean(random.random()),
        2 => Value::Array(Vec::new()),
        3 => Value::Table(Table::new()),
        4 => Value::Array(vec![Value::Array(Vec::new())]),
        5 => Value::Datetime("1979-05-27T07:32:00Z".parse().unwrap()),
        _ => Value::String("x".repeat(*choose(random, &[300, 5000, 100_000]))),
    }
}

fn key(random: &mut Random, old: &str) -> String {
    match random.random_range(0..7) {
        0 => format!("{old}s"),
        1 => old[1..].to_string(),
        2 => "a.b".into(),
        3 => "\u{7}\u{1b}[2J".into(),
        4 => "κλειδί".into(),
        5 => "k".repeat(10_000),
        _ => (*choose(
            random,
            &[
                "loss",
                "model",
                "noise_strength",
                "cells",
                "runs",
                "sublevel",
                "within",
                "window",
                "table",
            ],
        ))
        .into(),
    }
}

/// The same configuration with one entry changed.
fn mutate(random: &mut Random, value: &mut Value) {
    let mut found = Vec::new();
    paths(value, &mut Vec::new(), &mut found);
    if found.is_empty() {
        return;
    }
    let path = choose(random, &found).clone();
    let (last, parents) = path.split_last().unwrap();
    let action = random.random_range(0..12);
    match (action, entry(value, parents)) {
        (0, Value::Table(table)) => {
            table.remove(last);
        }
        (0, Value::Array(array)) => {
            array.remove(last.parse().unwrap());
        }
        (1, Value::Table(table)) => {
            let old = table.remove(last).unwrap();
            table.insert(key(random, last), old);
        }
        (1 | 2, Value::Array(array)) => {
            let old = array[last.parse::<usize>().unwrap()].clone();
            let times = *choose(random, &[1, 3, 1000]);
            array.extend(std::iter::repeat_n(old, times));
        }
        (2, Value::Table(table)) => {
            let old = table[last].clone();
            table.insert(key(random, last), old);
        }
        (3, _) => *entry(value, &path) = other(random),
        _ => {
            let place = entry(value, &path);
            *place = match &*place {
                Value::Float(old) => number(random, *old),
                Value::Integer(old) => number(random, *old as f64),
                Value::String(old) if random.random::<bool>() => {
                    let cut: String = old.chars().take(old.chars().count() / 2).collect();
                    Value::String(cut)
                }
                Value::String(_) => Value::String((*choose(random, &TEXTS)).into()),
                _ => return,
            };
        }
    }
}

/// A text with a few characters changed.
fn garble(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..characters.len());
        match random.random_range(0..3) {
            0 => {
                characters.remove(at);
            }
            1 => characters.insert(
                at,
                *choose(
                    random,
                    &['[', ']', '"', '=', '\n', '9', '-', 'e', '.', 'é', '\u{0}', '#'],
                ),
            ),
            _ => {
                let other = random.random_range(0..characters.len());
                characters.swap(at, other);
            }
        }
    }
    characters.into_iter().collect()
}

/// What came of a run.
struct Answer {
    /// None when it had to be stopped.
    status: Option<ExitStatus>,
    said: String,
}

/// Runs the program with half of this machine's memory and a little more.
fn ask(folder: &Path, arguments: &[&str]) -> Answer {
    let said = folder.join("said");
    let script = "ulimit -v $(awk '/^MemTotal/ { print int($2 * 0.6) }' /proc/meminfo); exec \"$0\" \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(env!("CARGO_BIN_EXE_freezeout"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&said).unwrap())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        let has_said = || fs::metadata(&said).unwrap().len() > 0;
        if begin.elapsed() > PATIENCE || (begin.elapsed() > WATCHED && has_said()) {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    Answer {
        status,
        said: String::from_utf8(fs::read(&said).unwrap()).unwrap(),
    }
}

/// What is wrong with an answer, if anything.
fn complaint(answer: &Answer) -> Option<String> {
    let lines: Vec<&str> = answer.said.lines().collect();
    let is_said_aside = |line: &&&str| line.starts_with("note: ") || line.starts_with("warning: ");
    let errors = lines.iter().filter(|line| !is_said_aside(line)).count();
    let Some(status) = answer.status else {
        return lines.is_empty().then(|| "it ran for long without a word".into());
    };
    let wanted = match status.code() {
        Some(0) => 0,
        Some(1 | 2) => 1,
        _ => return Some(format!("{status}: {}", answer.said)),
    };
    if errors != wanted {
        return Some(format!("{status} with {errors} line(s): {}", answer.said));
    }
    if let Some(long) = lines.iter().find(|line| line.chars().count() > 1010) {
        return Some(format!("a line of {} characters", long.len()));
    }
    lines
        .iter()
        .any(|line| line.contains(|c: char| c.is_control()))
        .then(|| format!("control characters: {:?}", answer.said))
}

#[test]
fn every_mutant_is_answered() {
    let factor: usize = std::env::var("FREEZEOUT_FUZZ").map_or(1, |n| n.parse().unwrap());
    let seed: u64 = std::env::var("FREEZEOUT_SEED").map_or(19, |n| n.parse().unwrap());
    let (small, large, network) = (SMALL.map(String::from), large(), NETWORK.to_string());
    let next = AtomicUsize::new(0);
    let complaints = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let k = next.fetch_add(1, Ordering::Relaxed);
                    if k >= factor * MUTANTS {
                        return;
                    }
                    let mut random =
                        Random::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(k as u64));
                    // One in three is of an example or a validation case.
                    let runs = !k.is_multiple_of(3);
                    let base = match runs && k % 10 == 7 {
                        true => &network,
                        false => choose(&mut random, if runs { &small[..] } else { &large }),
                    };
                    let text = if random.random_range(0..8) == 0 {
                        garble(&mut random, base)
                    } else {
                        let mut value = Value::Table(base.parse().unwrap());
                        for _ in 0..random.random_range(1..=3) {
                            mutate(&mut random, &mut value);
                        }
                        toml::to_string(&value).unwrap()
                    };
                    let folder = tempfile::tempdir().unwrap();
                    fs::write(folder.path().join("mutant.toml"), &text).unwrap();
                    let arguments: &[&str] = if runs {
                        &["run", "mutant.toml", "-o", "out.h5", "--threads", "1"]
                    } else {
                        &["check", "mutant.toml", "--threads", "1"]
                    };
                    if let Some(complaint) = complaint(&ask(folder.path(), arguments)) {
                        let text: String = text.chars().take(3000).collect();
                        complaints
                            .lock()
                            .unwrap()
                            .push(format!("mutant {k} of seed {seed}: {complaint}\n{text}"));
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(
        complaints.is_empty(),
        "{} complaints\n{}",
        complaints.len(),
        complaints.join("\n\n")
    );
}

/// The base configurations are themselves accepted: the mutants differ from something that works.
#[test]
fn the_unchanged_ones_run() {
    for text in SMALL.into_iter().chain([NETWORK]) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.toml"), text).unwrap();
        let answer = ask(folder.path(), &["run", "c.toml", "-o", "out.h5"]);
        assert_eq!(
            answer.status.and_then(|s| s.code()),
            Some(0),
            "{}{text}",
            answer.said
        );
    }
    // the images of MNIST are not part of the project
    let is_complete = |text: &String| !text.contains("data/input/mnist");
    for text in large().into_iter().filter(is_complete) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.toml"), &text).unwrap();
        let answer = ask(folder.path(), &["check", "c.toml"]);
        assert_eq!(
            answer.status.and_then(|s| s.code()),
            Some(0),
            "{}{text}",
            answer.said
        );
    }
}
