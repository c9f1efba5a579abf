//! Records the commit and the compiler, for the provenance of result files.

use std::process::Command;

/// What the program is built from: changes elsewhere leave no mark.
const SOURCES: [&str; 4] = ["src", "Cargo.toml", "Cargo.lock", "build.rs"];

/// What a command prints; none when it fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_string();
    output.status.success().then_some(text)
}

/// The commit, marked where the sources differ from it; "unknown" without git, as in an unpacked crate.
fn commit() -> String {
    // a crate unpacked inside another repository is not of that repository
    let own = output("git", &["ls-files", "--error-unmatch", "build.rs"]);
    let Some(commit) = own.and_then(|_| output("git", &["rev-parse", "HEAD"])) else {
        return "unknown".into();
    };
    let status = output("git", &[&["status", "--porcelain", "--"][..], &SOURCES].concat());
    match status {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit} with changes"),
    }
}

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let compiler = output(&rustc, &["--version"]).unwrap_or_else(|| "unknown".into());
    let mut lines = vec![
        format!("rustc-env=FREEZEOUT_COMMIT={}", commit()),
        format!("rustc-env=FREEZEOUT_COMPILER={compiler}"),
    ];
    // HEAD, and the branch that it names
    let branch = output("git", &["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
    let tracked = ["HEAD", branch.as_str()].map(|name| output("git", &["rev-parse", "--git-path", name]));
    let tracked = tracked
        .into_iter()
        .flatten()
        .filter(|path| std::path::Path::new(path).exists());
    lines.extend(tracked.map(|path| format!("rerun-if-changed={path}")));
    lines.extend(SOURCES.map(|path| format!("rerun-if-changed={path}")));
    // Build scripts talk to cargo through standard output.
    #[allow(clippy::print_stdout)]
    for line in lines {
        println!("cargo:{line}");
    }
}
