//! The `freezeout` command: run a configuration, reproduce the paper, show a result file, list what there is.
//!
//! Exit code 0 when done, 2 for bad input (one line on standard error), 1 for failures of the computation itself.

mod drawing;
mod shown_progress;
mod terminal;
mod unsealed;

use clap::{CommandFactory, Parser, Subcommand};
use drawing::{DrawOptions, draw, make_folder};
use freezeout::config;
use freezeout::judgement::{agreement, claims, validation};
use freezeout::run::Job;
use freezeout::task::Progress;
use freezeout::{Error, Result, error, output, run};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use terminal::{print, terminal_width};

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
        /// Folder of the images in IDX format, such as MNIST's, for the network tasks, in place of their key data.
        #[arg(long, value_name = "FOLDER")]
        data: Option<String>,
        /// Only the cells of one shard of a sweep, such as 2/4, into a file for merge [default: data/results/NAME.shard-2-of-4.h5].
        #[arg(long, value_name = "I/N")]
        shard: Option<String>,
    },
    /// Merge the files of all shards of a sweep into the file that one run writes.
    Merge {
        /// Files written by run --shard.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Result file [default: data/results/NAME.h5].
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// Do not print the main numbers.
        #[arg(long)]
        quiet: bool,
    },
    /// Run the paper's protocols by every route, compare them, and draw the figures.
    Reproduce {
        #[command(flatten)]
        options: RunOptions,
        /// Folder for the figures [default: paper/figures].
        #[arg(long)]
        figures: Option<PathBuf>,
    },
    /// Draw every figure that a result file allows, of a sweep the main numbers against the swept keys.
    Figures {
        /// Result file.
        file: PathBuf,
        /// Folder, made when missing [default: NAME_figures beside the file NAME.h5].
        #[arg(short, long)]
        output: Option<PathBuf>,
        #[command(flatten)]
        options: DrawOptions,
        /// Do not list the figures.
        #[arg(long)]
        quiet: bool,
    },
    /// Show what a result file says: main numbers, agreement and groups on one screen.
    Show {
        /// Result file.
        file: PathBuf,
        /// A group, a record or an attribute in it, such as escape/escape_rate or config.
        path: Option<String>,
        /// Every record, or every entry of the one that is named.
        #[arg(long)]
        all: bool,
        /// The same as JSON, the whole file unless a path is given.
        #[arg(long, conflicts_with = "all")]
        json: bool,
    },
    /// Run the validation cases, hold every number against its known value, write a report; exit code 1 when a check fails.
    Validate {
        /// Folder of cases.
        #[arg(default_value = "validation")]
        folder: PathBuf,
        /// Report [default: REPORT.md in the folder].
        #[arg(long)]
        report: Option<PathBuf>,
    },
    /// List models, noises, sets and tasks with their keys, units and defaults.
    List,
    /// Print the JSON schema of configurations, with which an editor completes keys and marks what is wrong.
    Schema,
    /// Print the completions of this program for a shell.
    Completions {
        /// Shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages, one of the program and one of each command.
    Man {
        /// Folder, made when missing.
        folder: PathBuf,
    },
    /// Check a configuration and show what it is expected to need, without running it.
    Check {
        /// TOML configuration.
        config: PathBuf,
        /// Folder of the images in IDX format for the network tasks, in place of their key data.
        #[arg(long, value_name = "FOLDER")]
        data: Option<String>,
        /// Worker threads [default: one per core].
        #[arg(long)]
        threads: Option<usize>,
    },
    /// Write a commented example configuration to start from, and beside it the schema with which editors check it.
    Init {
        /// File to write; an existing one is never overwritten.
        #[arg(default_value = "example.toml")]
        config: PathBuf,
    },
    /// Copies a result file without a digest into one with a digest; run by the program itself.
    #[command(name = unsealed::COPY, hide = true)]
    CopyUnsealed {
        /// Result file.
        from: PathBuf,
        /// Copy.
        to: PathBuf,
    },
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
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => {
            // --help and --version.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            let lines = text.lines().map(str::trim);
            let said =
                lines.take_while(|line| !["Usage:", "For more"].iter().any(|end| line.starts_with(end)));
            let said: Vec<&str> = said.filter(|line| !line.is_empty()).collect();
            let said = error::on_one_line(&said.join(" ").replace(" tip: ", "; "));
            let _ = writeln!(std::io::stderr(), "{said} (freezeout --help lists them)");
            return ExitCode::from(2);
        }
    };
    if let Command::CopyUnsealed { from, to } = &arguments.command {
        return match unsealed::copy(from, to) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Error::Input { message, .. }) => say(&message, 2),
            Err(other) => say(&other.to_string(), 1),
        };
    }
    match execute(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(
            &format!("error: {error}"),
            if error.is_bad_input() { 2 } else { 1 },
        ),
    }
}

/// One line on standard error, and the exit code.
fn say(message: &str, code: u8) -> ExitCode {
    // A closed standard error cannot be reported to anybody.
    let _ = writeln!(std::io::stderr(), "{}", error::on_one_line(message));
    ExitCode::from(code)
}

/// The text of a configuration, with the images of its network tasks from a folder if one is given.
fn configuration(file: &Path, data: Option<&str>) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|e| input_error(file, &e))?;
    data.map_or(Ok(text.clone()), |folder| run::with_images(&text, folder))
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Run {
            config,
            options,
            data,
            shard,
        } => {
            let shard = shard.map(|shard| shard.parse::<run::Shard>()).transpose()?;
            let text = configuration(&config, data.as_deref())?;
            let same =
                |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
            if let Some(output) = options.output.as_deref().filter(|output| same(output, &config)) {
                return Err(Error::Output {
                    path: output.display().to_string(),
                    message: "it is the configuration itself".into(),
                });
            }
            run_text(&text, &options, shard).map(|_| ())
        }
        Command::Merge { files, output, quiet } => merge(&files, output, quiet),
        Command::Check {
            config,
            data,
            threads,
        } => {
            let text = configuration(&config, data.as_deref())?;
            let config = run::parse(&text)?;
            let job = pool(threads)?.install(|| Job::new(&config, &text))?;
            print(&job.estimate().to_string())
        }
        Command::Reproduce { options, figures } => {
            let figures = figures.as_deref().unwrap_or(Path::new("paper/figures"));
            make_folder(figures)?;
            let (_, result) = run_text(run::REPRODUCE, &options, None)?;
            draw(&result, figures, &DrawOptions::default(), options.quiet)
        }
        Command::Figures {
            file,
            output,
            options,
            quiet,
        } => {
            let result = unsealed::read(&file)?;
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            let beside = || file.with_file_name(format!("{stem}_figures"));
            draw(&result, &output.unwrap_or_else(beside), &options, quiet)
        }
        Command::Show {
            file,
            path,
            all,
            json,
        } => {
            let result = unsealed::read(&file)?;
            let width = terminal_width();
            print(&match (path, json) {
                (Some(path), true) => format!("{:#}", output::json_at(&result, &path)?),
                (None, true) => format!("{:#}", output::to_json(&result)),
                (Some(path), false) => output::summary_at(&result, &path, all, width)?,
                (None, false) if all => output::summary(&result, width),
                (None, false) => run::overview(&result, width)?,
            })
        }
        Command::Validate { folder, report } => {
            validate(&folder, &report.unwrap_or_else(|| folder.join("REPORT.md")))
        }
        Command::List => print(&config::list()),
        Command::Schema => print(&schema()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "freezeout", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
        Command::Man { folder } => {
            make_folder(&folder)?;
            clap_mangen::generate_to(Arguments::command(), &folder).map_err(|e| Error::Output {
                path: folder.display().to_string(),
                message: e.to_string(),
            })
        }
        Command::Init { config } => init(&config),
        // Answered by `main`, whose messages it does not share.
        Command::CopyUnsealed { from, to } => unsealed::copy(&from, &to),
    }
}

/// The result file: that asked for, or NAME.h5 in the folder of results.
fn result_path(output: Option<&Path>, name: &str) -> Result<PathBuf> {
    let path = match output {
        Some(path) => path.into(),
        None => {
            let folder = Path::new("data/results");
            make_folder(folder)?;
            folder.join(format!("{name}.h5"))
        }
    };
    output::check_writable(&path)?;
    Ok(path)
}

/// Merges shards as `freezeout merge` does.
fn merge(files: &[PathBuf], output: Option<PathBuf>, quiet: bool) -> Result<()> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), unsealed::read(path)?));
    let shards = files.iter().map(read).collect::<Result<Vec<_>>>()?;
    let result = run::merge(&shards)?;
    let name = match result.attributes().get("name") {
        Some(output::Attribute::Text(name)) => name.as_str(),
        _ => "merged",
    };
    let path = result_path(output.as_deref(), name)?;
    output::write(&path, &result)?;
    if quiet {
        return Ok(());
    }
    let width = terminal_width();
    print(run::main_numbers(&result, width)?.trim_start())?;
    if let Some(output::Attribute::Text(text)) = result.attributes().get("config") {
        print_claims(&result, &run::parse(text)?, width)?;
    }
    print(&format!("\nwrote {}", path.display()))
}

fn print_claims(result: &output::ResultFile, config: &config::Config, width: usize) -> Result<()> {
    let claims = claims::claims(result, config)?;
    if claims.is_empty() {
        return Ok(());
    }
    print(&format!(
        "\nClaims of arXiv 2601.10962\n{}",
        claims::table(&claims, width)
    ))
}

fn run_text(
    text: &str,
    options: &RunOptions,
    shard: Option<run::Shard>,
) -> Result<(PathBuf, output::ResultFile)> {
    let config = run::parse(text)?;
    let pool = pool(options.threads)?;
    let job = pool.install(|| Job::new(&config, text))?;
    shard.map_or(Ok(()), |shard| job.check_shard(shard))?;
    let name = match shard {
        Some(shard) => format!("{}.shard-{}", config.name, shard.to_string().replace('/', "-of-")),
        None => config.name.clone(),
    };
    let path = result_path(options.output.as_deref(), &name)?;
    let progress = if options.quiet {
        Progress::silent()
    } else {
        shown_progress::shown_progress()
    };
    let progress = progress.with_notes(|line| {
        // A closed standard error cannot be reported to anybody.
        let _ = writeln!(
            std::io::stderr(),
            "{}",
            error::on_one_line(&format!("note: {line}"))
        );
    });
    let estimate = shard.map_or(job.estimate().clone(), |shard| {
        job.estimate().of_shard(shard.count())
    });
    if estimate.is_long() {
        progress.note(&estimate.line());
    }
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let result = pool.install(|| match shard {
        Some(shard) => job.run_shard(shard, Some(&unfinished), &progress),
        None => job.run(Some(&unfinished), &progress),
    });
    if result.is_err() && !config.sweep.is_empty() && unfinished.exists() {
        progress.note(&format!(
            "finished cells are kept in {}: the same configuration goes on from there",
            unfinished.display()
        ));
    }
    let result = result?;
    output::write(&path, &result)?;
    if !config.sweep.is_empty() {
        run::remove_unfinished(&unfinished)?;
    }
    for group in result.groups() {
        if let Some(output::Attribute::Text(text)) = group.attributes().get(output::WARNING) {
            // a closed standard error takes nothing from the result
            let line = format!("warning: {}: {text}", group.name());
            let _ = writeln!(std::io::stderr(), "{}", freezeout::error::on_one_line(&line));
        }
    }
    if !options.quiet {
        let width = terminal_width();
        print(run::main_numbers(&result, width)?.trim_start())?;
        if shard.is_some() {
            print("merge the shards when all are there: freezeout merge FILES")?;
        }
        // Cells of a sweep are not comparable with each other.
        if config.sweep.is_empty() {
            let rows = agreement::comparisons(&result)?;
            if !rows.is_empty() {
                print(&format!("\n{}", agreement::table(&rows, width)))?;
            }
            for line in agreement::not_compared(&result) {
                print(&line)?;
            }
        }
        print_claims(&result, &config, width)?;
        print(&format!("\nwrote {}", path.display()))?;
    }
    Ok((path, result))
}

/// As many threads as asked for, or one per core.
fn pool(threads: Option<usize>) -> Result<rayon::ThreadPool> {
    const MOST_THREADS: usize = 1024;
    if threads.is_some_and(|n| n == 0 || n > MOST_THREADS) {
        return Err(Error::Config {
            key: "--threads".into(),
            message: format!("between 1 and {MOST_THREADS} threads are possible"),
        });
    }
    let built = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .build();
    built.map_err(|e| Error::Config {
        key: "--threads".into(),
        message: e.to_string(),
    })
}

/// The tables that `scan.py` has left in a folder of cases, if it has.
fn scan_of(folder: &Path) -> Result<Option<String>> {
    let path = folder.join("scan.md");
    match std::fs::read_to_string(&path) {
        Ok(tables) => Ok(Some(tables)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Input {
            path: path.display().to_string(),
            message: error.to_string(),
        }),
    }
}

/// Runs the cases of `folder`, prints a line a check and writes the report, whether checks fail or not.
fn validate(folder: &Path, report: &Path) -> Result<()> {
    output::check_writable(report)?;
    let mut printed = Ok(());
    let outcomes = run::validate(folder, &mut |outcome| {
        if printed.is_ok() {
            printed = print(&outcome.line());
        }
    })?;
    printed?;
    let scan = scan_of(folder)?;
    let text = validation::validation_report(&outcomes, scan.as_deref());
    std::fs::write(report, text).map_err(|e| Error::Output {
        path: report.display().to_string(),
        message: e.to_string(),
    })?;
    print(&format!("wrote {}", report.display()))?;
    match outcomes.iter().filter(|outcome| !outcome.passes()).count() {
        0 => Ok(()),
        failed => Err(Error::ValidationFailed {
            failed,
            checks: outcomes.len(),
        }),
    }
}

/// Name of the file with the schema that the first line of an example names, beside it.
const SCHEMA_FILE: &str = "freezeout.schema.json";

/// Writes the example configuration, named after its file, and beside it the schema that its first line names, unless that is there.
fn init(path: &Path) -> Result<()> {
    let name: String = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let example = run::EXAMPLE
        .replace("name = \"example\"", &format!("name = {name:?}"))
        .replace("NAME", &name);
    if !write_new(path, &format!("#:schema {SCHEMA_FILE}\n{example}"))? {
        return Err(Error::Output {
            path: path.display().to_string(),
            message: "it exists and is not overwritten; name another file".into(),
        });
    }
    write_new(&path.with_file_name(SCHEMA_FILE), &schema())?;
    print(&format!(
        "wrote {0}; run it with: freezeout run {0}",
        path.display()
    ))
}

/// The JSON schema of configurations as text.
fn schema() -> String {
    format!("{:#}\n", config::schema())
}

/// Writes a file that is not there; false if it is.
fn write_new(path: &Path, text: &str) -> Result<bool> {
    let failed = |e: std::io::Error| Error::Output {
        path: path.display().to_string(),
        message: e.to_string(),
    };
    let mut file = match std::fs::File::create_new(path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        file => file.map_err(failed)?,
    };
    if let Err(e) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
        drop(file);
        // Of a full disk, say. A file that cannot be removed either is named by the message.
        std::fs::remove_file(path).ok();
        return Err(failed(e));
    }
    Ok(true)
}

fn input_error(path: &Path, error: &std::io::Error) -> Error {
    Error::Input {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}
