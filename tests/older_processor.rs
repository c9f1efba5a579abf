//! The program on a processor without wide vectors and fused multiplication, emulated by qemu-user where that is installed.
//!
//! `make older-processor` installs it and lets its absence fail.
#![cfg(all(feature = "cli", target_arch = "x86_64", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests fail by panicking

use freezeout::output::ResultFile;
use std::path::Path;
use std::process::Command;

const CONFIG: &str = r#"
name = "older"
landscape.loss = "(x^2 - 1)^2/4 + y^2/2"
landscape.variables = ["x", "y"]
noise.tensor = [["0.2 + 0.05*x^2", "0.03"], ["0.03", "0.1"]]
region.domain = [[-2.4, 2.4], [-2, 2]]
[escape]
cells = [16, 12]
start = { ball = { centre = [-1.0, 0.0], radius = 0.0 } }
target = { expression = "x > 0.5" }
[escape.simulation]
runs = 200
time_step = 0.02
"#;

/// Simulations are the same to the last bit; of grids, which use the C library's exp and ln, the roundings may differ, far below their errors.
#[test]
fn an_older_processor_finds_the_same() {
    const QEMU: &str = "qemu-x86_64";
    if Command::new(QEMU).arg("--version").output().is_err() {
        assert!(std::env::var("FREEZEOUT_QEMU").is_err(), "{QEMU} is missing");
        eprintln!("not tested: {QEMU} is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: u64, emulated: bool| {
        std::fs::write(folder.path().join("c.toml"), format!("seed = {seed}\n{CONFIG}")).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_freezeout"));
        let mut command = match emulated {
            // SSE4.2 and no more: of 2008
            true => Command::new(QEMU),
            false => Command::new(program),
        };
        if emulated {
            command.args(["-cpu", "Nehalem"]).arg(program);
        }
        command
            .args(["run", "c.toml", "--quiet", "-o", name])
            .current_dir(folder.path());
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        freezeout::output::read(folder.path().join(name)).unwrap()
    };
    let (here, older, other) = (
        run("here.h5", 3, false),
        run("older.h5", 3, true),
        run("other.h5", 4, false),
    );
    let values =
        |file: &ResultFile, name: &str| file.record(&format!("escape/{name}")).unwrap().numbers().unwrap();
    let simulated = |file: &ResultFile| values(file, "simulation/mean_first_passage_time")[0].to_bits();
    assert_eq!(simulated(&here), simulated(&older));
    assert_ne!(simulated(&here), simulated(&other));
    for name in ["mean_first_passage_time", "spectral_gap", "escape_rate"] {
        let (a, b) = (values(&here, name)[0], values(&older, name)[0]);
        let error = values(&here, &format!("{name}_error"))[0];
        assert!(
            (a - b).abs() <= 1e-6 * error + 1e-12 * a,
            "{name}: {a} and {b} ± {error:e}"
        );
    }
    let field = |file: &ResultFile| values(file, "fields/mean_first_passage_time_field");
    let pairs = field(&here).into_iter().zip(field(&older));
    let worst = pairs
        .map(|(a, b)| if a == b { 0.0 } else { (a / b - 1.0).abs() })
        .fold(0.0, f64::max);
    assert!(worst < 1e-11, "{worst:e}");
}
