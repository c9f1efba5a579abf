//! The IDX format of MNIST: arrays of bytes with their shape, plain or compressed by gzip.

use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{Read, Take};
use std::path::Path;

/// An array of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// Lengths of its dimensions, the slowest first.
    pub shape: Vec<usize>,
    /// Entries.
    pub bytes: Vec<u8>,
}

/// First bytes of a gzip stream.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes beyond which no file is read: sixteen times MNIST.
const LARGEST: u64 = 1 << 30;

/// Reads an IDX file of unsigned bytes.
///
/// # Errors
/// [`Error::Input`] naming the file when it cannot be read, is no IDX file of bytes with `dimensions` dimensions, or is shorter or longer than its shape.
pub fn read_idx(path: &Path, dimensions: usize) -> Result<Idx> {
    let failed = |message: String| Error::Input {
        path: path.display().to_string(),
        message,
    };
    let file = File::open(path).map_err(|e| failed(e.to_string()))?;
    if !file.metadata().map_err(|e| failed(e.to_string()))?.is_file() {
        return Err(failed("it is not a regular file".into()));
    }
    let bytes = all(file.take(LARGEST)).map_err(&failed)?;
    parse(&bytes, dimensions).map_err(failed)
}

fn all(mut source: Take<impl Read>) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    match source.limit() {
        0 => Err(format!("it holds more than {LARGEST} bytes")),
        _ => Ok(bytes),
    }
}

/// An IDX file as bytes, plain or compressed; else what is wrong with it.
pub(super) fn parse(bytes: &[u8], dimensions: usize) -> std::result::Result<Idx, String> {
    if bytes.starts_with(&GZIP) {
        let plain = all(MultiGzDecoder::new(bytes).take(LARGEST));
        return parse_plain(
            &plain.map_err(|e| format!("the gzip stream is damaged: {e}"))?,
            dimensions,
        );
    }
    parse_plain(bytes, dimensions)
}

fn parse_plain(bytes: &[u8], dimensions: usize) -> std::result::Result<Idx, String> {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else {
        return Err("it is too short for an IDX file".into());
    };
    let wanted = [0, 0, 0x08, dimensions as u8];
    if *magic != wanted {
        return Err(format!(
            "the magic number is {:#010x} where {:#010x} is needed, an IDX file of bytes with {dimensions} dimension(s)",
            u32::from_be_bytes(*magic),
            u32::from_be_bytes(wanted)
        ));
    }
    let (mut shape, mut rest) = (Vec::new(), rest);
    for _ in 0..dimensions {
        let Some((length, after)) = rest.split_first_chunk::<4>() else {
            return Err("it is too short for the shape of an IDX file".into());
        };
        shape.push(u32::from_be_bytes(*length) as usize);
        rest = after;
    }
    let wanted = shape
        .iter()
        .try_fold(1_usize, |product, n| product.checked_mul(*n));
    if wanted != Some(rest.len()) {
        return Err(format!(
            "{} bytes follow the shape {shape:?}, which needs {}: the file is truncated or damaged",
            rest.len(),
            wanted.map_or("more than there can be".into(), |n| n.to_string())
        ));
    }
    Ok(Idx {
        shape,
        bytes: rest.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn labels() -> Vec<u8> {
        vec![0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9]
    }

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_compressed_are_the_same() {
        let plain = parse(&labels(), 1).unwrap();
        assert_eq!(
            (plain.shape.as_slice(), plain.bytes.as_slice()),
            (&[3][..], &[7, 0, 9][..])
        );
        let compressed = member(&labels());
        assert_eq!(parse(&compressed, 1).unwrap(), plain);
        let cut = parse(&compressed[..compressed.len() - 6], 1).unwrap_err();
        assert!(cut.starts_with("the gzip stream is damaged: "), "{cut}");
    }

    /// A gzip stream may have several members; what follows them and is none is damage.
    #[test]
    fn all_members_are_read_and_nothing_else() {
        let bytes = labels();
        let (start, rest) = bytes.split_at(9);
        let members = [member(start), member(rest)].concat();
        assert_eq!(parse(&members, 1).unwrap(), parse(&bytes, 1).unwrap());
        for garbage in [&b"garbage"[..], &GZIP, &labels()] {
            let error = parse(&[&members[..], garbage].concat(), 1).unwrap_err();
            assert!(error.starts_with("the gzip stream is damaged: "), "{error}");
        }
    }

    #[test]
    fn damage_is_named() {
        for (bytes, said) in [
            (vec![0, 0], "too short"),
            (vec![0, 0, 8, 1, 0, 0], "too short for the shape"),
            (
                labels()[..10].to_vec(),
                "2 bytes follow the shape [3], which needs 3",
            ),
            ([labels(), vec![1]].concat(), "4 bytes follow"),
            (
                vec![0, 0, 8, 3, 0, 0, 0, 0],
                "the magic number is 0x00000803 where 0x00000801",
            ),
            (vec![0, 0, 13, 1, 0, 0, 0, 0], "the magic number is 0x00000d01"),
            (b"PNG!".to_vec(), "the magic number is 0x504e4721"),
        ] {
            let error = parse(&bytes, 1).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let huge = [&[0, 0, 8, 3][..], &[255; 12]].concat();
        assert!(parse(&huge, 3).unwrap_err().contains("damaged"));
    }
}
