//! Records the commit and the compiler, for the provenance of result files.

use std::process::Command;

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_string(),
        _ => "unknown".into(),
    }
}

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    // Build scripts talk to cargo through standard output.
    #[allow(clippy::print_stdout)]
    for line in [
        format!(
            "rustc-env=FREEZEOUT_COMMIT={}",
            first_line("git", &["rev-parse", "HEAD"])
        ),
        format!(
            "rustc-env=FREEZEOUT_COMPILER={}",
            first_line(&rustc, &["--version"])
        ),
        "rerun-if-changed=.git/HEAD".into(),
        "rerun-if-changed=.git/refs/heads".into(),
        "rerun-if-changed=build.rs".into(),
    ] {
        println!("cargo:{line}");
    }
}
