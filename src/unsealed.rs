//! Result files without a digest, read by a process of their own that may crash.
//!
//! Older versions wrote no digest, and programs that change or copy a result file leave it out. Nothing then vouches for what the HDF5 library is about to
//! read, and on damaged data it can crash, run on or allocate without bound. A second process of this program, with limits on memory and time, reads the
//! file and writes it anew with a digest; what that one writes is read as any other file.

use freezeout::output::{self, ResultFile};
use freezeout::{Error, Result};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Name of the hidden command that copies a file.
pub const COPY: &str = "copy-unsealed";

/// Address space of the copying process beside what its file may need.
#[cfg(unix)]
const MEMORY: u64 = 512 << 20;
/// Address space for each byte of the file; compressed arrays shrink by less than this in practice.
#[cfg(unix)]
const MEMORY_PER_BYTE: u64 = 40;
/// Time for any file, and for each byte of it (1 MB/s).
const TIME: Duration = Duration::from_secs(20);
const NANOSECONDS_PER_BYTE: u64 = 1000;
/// How often the copying process is looked at.
const POLL: Duration = Duration::from_millis(2);

/// Reads a result file, with a digest or without one.
pub fn read(path: &Path) -> Result<ResultFile> {
    if output::is_sealed(path)? {
        return output::read(path);
    }
    let failed = |message: String| Error::Input {
        path: path.display().to_string(),
        message,
    };
    let folder = tempfile::tempdir().map_err(|e| failed(format!("no temporary folder: {e}")))?;
    let (copy, said) = (folder.path().join("copy.h5"), folder.path().join("said"));
    let status = run_copy(path, &copy, &said).map_err(|e| failed(e.to_string()))?;
    match status {
        None => Err(failed("it is damaged: reading it does not come to an end".into())),
        Some(status) if status.success() => output::read(&copy),
        Some(status) if status.code() == Some(2) => {
            let said = fs::read_to_string(&said).unwrap_or_default();
            Err(failed(said.trim().to_string()))
        }
        Some(_) => Err(failed("it is damaged: the HDF5 library cannot read it".into())),
    }
}

/// Runs the copying process to its end; none when it had to be stopped.
fn run_copy(path: &Path, copy: &Path, said: &Path) -> std::io::Result<Option<ExitStatus>> {
    let size = fs::metadata(path)?.len();
    let mut child = Command::new(std::env::current_exe()?)
        .arg(COPY)
        .args([path, copy])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(said)?)
        .spawn()?;
    let time = TIME + Duration::from_nanos(size.saturating_mul(NANOSECONDS_PER_BYTE));
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > time {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// What the copying process does. Its message names no file: the process that started it does.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    limit(from);
    match output::read_unsealed(from) {
        Ok(file) => output::write(to, &file),
        Err(Error::Input { message, .. }) => Err(Error::Input {
            path: String::new(),
            message,
        }),
        Err(other) => Err(other),
    }
}

/// Bounds the memory of this process and forbids it to leave a core file; elsewhere than on Unix only the time is bounded.
fn limit(_path: &Path) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let size = fs::metadata(_path).map_or(0, |m| m.len());
        let bound = |bytes: u64| Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        // A system that refuses a limit leaves the others in force.
        setrlimit(
            Resource::As,
            bound(MEMORY.saturating_add(size.saturating_mul(MEMORY_PER_BYTE))),
        )
        .ok();
        setrlimit(Resource::Core, bound(0)).ok();
    }
}
