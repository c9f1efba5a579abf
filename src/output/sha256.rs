//! SHA-256 of texts and files, in lower-case hexadecimal.

use sha2::{Digest, Sha256};
use std::io::{Read, Result, Write};

/// SHA-256 of a text in lower-case hexadecimal, for the root attribute `config_hash`.
///
/// # Examples
/// ```
/// let hash = freezeout::output::sha256("");
/// assert_eq!(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// ```
pub fn sha256(text: &str) -> String {
    hexadecimal(Sha256::new_with_prefix(text.as_bytes()))
}

/// SHA-256 of all that a reader still gives.
pub(crate) fn sha256_of(mut reader: impl Read) -> Result<String> {
    let mut hash = Hash(Sha256::new());
    std::io::copy(&mut reader, &mut hash)?;
    Ok(hexadecimal(hash.0))
}

struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
