//! The `freezeout` command: run a configuration, reproduce the paper, show a result file, list what there is.
//!
//! Exit code 0 when done, 2 for bad input (one line on standard error), 1 for failures of the computation itself.

use clap::{Parser, Subcommand};
use freezeout::experiment::{self, Progress};
use freezeout::{Error, Result, figure, output};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How the noise of SGD reshapes a loss landscape: effective potentials, escape rates, freezing.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the tasks of a configuration and write one HDF5 file.
    Run {
        /// TOML configuration.
        config: PathBuf,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Run the paper's protocols by every route, compare them, and draw the figures.
    Reproduce {
        #[command(flatten)]
        options: RunOptions,
        /// Folder for the figures [default: paper/figures].
        #[arg(long)]
        figures: Option<PathBuf>,
    },
    /// Draw every figure that a result file allows, as SVG and PNG.
    Figures {
        /// Result file.
        file: PathBuf,
        /// Folder, made when missing.
        #[arg(short, long, default_value = "paper/figures")]
        output: PathBuf,
        /// Do not list the figures.
        #[arg(long)]
        quiet: bool,
    },
    /// Show what a result file holds.
    Show {
        /// Result file.
        file: PathBuf,
        /// The whole content as JSON.
        #[arg(long)]
        json: bool,
    },
    /// List models, noises and tasks with their keys, units and defaults.
    List,
}

#[derive(clap::Args)]
struct RunOptions {
    /// Result file [default: data/results/NAME.h5].
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Worker threads [default: one per core]. The numbers do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// No progress bars and no summary.
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error cannot be reported to anybody.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(if is_bad_input(&error) { 2 } else { 1 })
        }
    }
}

/// Whether the user can mend it; the rest are failures of the computation.
fn is_bad_input(error: &Error) -> bool {
    !matches!(error, Error::NotConverged { .. } | Error::NotFinite { .. })
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Run { config, options } => {
            let text = std::fs::read_to_string(&config).map_err(|e| input_error(&config, &e))?;
            run(&text, &options).map(|_| ())
        }
        Command::Reproduce { options, figures } => {
            let (_, result) = run(experiment::REPRODUCE, &options)?;
            draw(
                &result,
                figures.as_deref().unwrap_or(Path::new("paper/figures")),
                options.quiet,
            )
        }
        Command::Figures { file, output, quiet } => draw(&output::read(&file)?, &output, quiet),
        Command::Show { file, json } => {
            let result = output::read(&file)?;
            print(&if json {
                format!("{:#}", output::to_json(&result))
            } else {
                output::summary(&result)
            })
        }
        Command::List => print(&experiment::catalogue()),
    }
}

fn run(text: &str, options: &RunOptions) -> Result<(PathBuf, output::ResultFile)> {
    let config = experiment::parse(text)?;
    experiment::check(&config, text)?;
    if options.threads == Some(0) {
        return Err(Error::Config {
            key: "--threads".into(),
            message: "at least 1 thread is needed".into(),
        });
    }
    let path = match &options.output {
        Some(path) => path.clone(),
        None => {
            let folder = Path::new("data/results");
            std::fs::create_dir_all(folder).map_err(|e| Error::Output {
                path: folder.display().to_string(),
                message: e.to_string(),
            })?;
            folder.join(format!("{}.h5", config.name))
        }
    };
    output::check_writable(&path)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .build()
        .map_err(|e| Error::Config {
            key: "--threads".into(),
            message: e.to_string(),
        })?;
    let progress = if options.quiet {
        Progress::silent()
    } else {
        Progress::terminal()
    };
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let result = pool.install(|| experiment::run(&config, text, Some(&unfinished), &progress))?;
    output::write(&path, &result)?;
    if unfinished.is_dir() {
        std::fs::remove_dir_all(&unfinished).map_err(|e| input_error(&unfinished, &e))?;
    }
    if !options.quiet {
        let rows = experiment::agreement::comparisons(&result)?;
        if !rows.is_empty() {
            print(&experiment::agreement::table(&rows))?;
        }
        print(&format!("wrote {}", path.display()))?;
    }
    Ok((path, result))
}

fn draw(result: &output::ResultFile, folder: &Path, quiet: bool) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::Output {
        path: folder.display().to_string(),
        message: e.to_string(),
    })?;
    for entry in figure::catalogue::available(result) {
        let stem = folder.join(entry.name);
        figure::draw(&(entry.figure)(result)?, &stem)?;
        if !quiet {
            print(&format!(
                "drew {}.svg and .png: {}",
                stem.display(),
                entry.description
            ))?;
        }
    }
    Ok(())
}

fn input_error(path: &Path, error: &std::io::Error) -> Error {
    Error::Input {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}

/// Writes a text and a line end to standard output; a reader that went away is not an error.
fn print(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::Output {
            path: "standard output".into(),
            message: e.to_string(),
        }),
        _ => Ok(()),
    }
}
