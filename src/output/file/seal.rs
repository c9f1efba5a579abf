//! The seal of a result file: the SHA-256 of all its bytes, written after the end of the HDF5 data.
//!
//! ```text
//! HDF5 data, whose superblock says where they end
//! "\nfreezeout sha256 " + 64 hexadecimal digits + "\n"
//! ```
//!
//! HDF5 reads what stands before the end that its superblock names and never looks at what follows, so that every HDF5 program reads a sealed file. One
//! that changes it cuts the seal off. The seal is checked before the HDF5 library sees the file: damaged metadata can crash that library.

use crate::output::sha256::sha256_of;
use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// First bytes of every HDF5 file.
pub(super) const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// First bytes of a seal.
const MARK: &[u8] = b"\nfreezeout sha256 ";
/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;
/// Bytes of a seal.
const SEAL: usize = MARK.len() + DIGITS + 1;

/// Whether a file carries a seal; a damaged one is an error instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seal {
    /// It does, and its bytes are those that were sealed.
    Intact,
    /// It does not: an older version wrote it, or another program changed or copied it.
    Absent,
}

/// Appends the seal to a whole HDF5 file.
pub(super) fn seal(path: &Path) -> Result<(), Error> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    let digest = sha256_of(&mut file)?;
    let mut seal = MARK.to_vec();
    seal.extend_from_slice(digest.as_bytes());
    seal.push(b'\n');
    file.write_all(&seal)
}

/// Checks an HDF5 file against its seal and against the size that it states, or says in what it is damaged.
pub(super) fn check(path: &Path) -> Result<Seal, String> {
    let system = |e: Error| e.to_string();
    let mut file = File::open(path).map_err(system)?;
    let size = file.metadata().map_err(system)?.len();
    let mut start = Vec::new();
    (&mut file).take(64).read_to_end(&mut start).map_err(system)?;
    let stated = end_of_data(&start).ok_or("it is damaged: its first bytes make no sense")?;
    if size >= SEAL as u64 {
        let before = size - SEAL as u64;
        file.seek(SeekFrom::Start(before)).map_err(system)?;
        let mut found = Vec::new();
        file.read_to_end(&mut found).map_err(system)?;
        if let Some(rest) = found.strip_prefix(MARK) {
            file.rewind().map_err(system)?;
            let digest = sha256_of(file.take(before)).map_err(system)?;
            let is_same = rest == format!("{digest}\n").as_bytes();
            return if is_same {
                Ok(Seal::Intact)
            } else {
                Err("it is damaged: its bytes are not those that were written (SHA-256 differs)".into())
            };
        }
    }
    if size < stated {
        return Err(format!(
            "it is damaged: only {size} of its {stated} bytes are there"
        ));
    }
    // Bytes of a seal that is no longer whole.
    if size > stated && size - stated <= SEAL as u64 {
        return Err("it is damaged: the digest at its end is not whole".into());
    }
    Ok(Seal::Absent)
}

/// Where the HDF5 data end by the superblock; none when the bytes are not a superblock with addresses of eight bytes.
fn end_of_data(start: &[u8]) -> Option<u64> {
    let is_wide = |at: usize| start.get(at..at + 2) == Some(&[8, 8]);
    let (sizes, end) = match start.get(8)? {
        0 => (13, 40),
        1 => (13, 44),
        2 | 3 => (9, 28),
        _ => return None,
    };
    let bytes = start.get(end..end + 8)?.try_into().ok()?;
    (start.starts_with(&SIGNATURE) && is_wide(sizes)).then(|| u64::from_le_bytes(bytes))
}
