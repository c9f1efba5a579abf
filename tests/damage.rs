//! Damaged result files: bits flipped and ends cut off. None of them may crash, hang, take a gigabyte, or be read as if nothing were wrong.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::{effort, freezeout_within, run_to_file, seed};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

/// Bytes of the digest at the end of a result file.
const SEAL: usize = 83;

/// A small problem with every kind of record: numbers, truth values, texts, fields, an array that is compressed.
const CONFIG: &str = r#"
name = "whole"
[landscape]
loss = "barrier*(x^2 - 1)^2"
parameters = { barrier = 0.25 }
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [-2.5, 2.5]
[escape]
cells = 2000
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { ball = { centre = [1.0], radius = 0.1 } }
[escape.path]
[escape.simulation]
runs = 10
"#;

/// The program with less than a gigabyte of address space.
fn freezeout(folder: &Path, arguments: &[&str]) -> Output {
    freezeout_within(1_000_000, folder, arguments)
}

fn whole() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    run_to_file(folder.path(), CONFIG, "whole.h5");
    fs::read(folder.path().join("whole.h5")).unwrap()
}

/// One to three bits flipped, or the end cut off.
fn damaged(bytes: &[u8], random: &mut Xoshiro256PlusPlus, cut: bool) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if cut {
        bytes.truncate(random.random_range(0..bytes.len()));
        return bytes;
    }
    for _ in 0..random.random_range(1..=3) {
        // Half of them in the first pages, where the structure stands.
        let end = if random.random::<bool>() {
            bytes.len()
        } else {
            bytes.len().min(16_384)
        };
        let at = random.random_range(0..end);
        bytes[at] ^= 1 << random.random_range(0..8);
    }
    bytes
}

/// Exit code 2 with one line on standard error; or 0 if allowed.
fn assert_civil(output: &Output, may_pass: bool, what: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(
        code == Some(2) || (may_pass && code == Some(0)),
        "{what}: {:?} {said}",
        output.status
    );
    assert_eq!(
        said.lines().count(),
        usize::from(code == Some(2)),
        "{what}: {said}"
    );
    assert!(
        !said.trim_end().contains(|c: char| c.is_control()),
        "{what}: {said:?}"
    );
}

#[test]
fn a_damaged_file_never_reaches_the_hdf5_library() {
    let (flips, cuts) = (1000 * effort(), 200 * effort());
    let (folder, whole) = (tempfile::tempdir().unwrap(), whole());
    let path = folder.path().join("damaged.h5");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed(1));
    for k in 0..flips + cuts {
        let bytes = damaged(&whole, &mut random, k >= flips);
        if bytes == whole {
            continue;
        }
        fs::write(&path, &bytes).unwrap();
        match freezeout::output::read(&path) {
            Err(freezeout::Error::Input { .. }) => (),
            other => panic!("damage {k}: {other:?}"),
        }
        if k % 40 == 0 {
            // What has lost its digest to the last byte is a file without one.
            let may_pass = bytes.len() == whole.len() - SEAL;
            for arguments in [&["show", "damaged.h5"][..], &["figures", "damaged.h5", "-o", "f"]] {
                assert_civil(
                    &freezeout(folder.path(), arguments),
                    may_pass,
                    &format!("damage {k}"),
                );
            }
        }
    }
}

/// Files of older versions and of other programs have no digest: a process of its own reads them.
#[test]
fn without_a_digest_damage_is_survived() {
    let (flips, cuts) = (300 * effort(), 40 * effort());
    let whole = whole();
    let unsealed = &whole[..whole.len() - SEAL];
    let random = Mutex::new(Xoshiro256PlusPlus::seed_from_u64(seed(2)));
    let next = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let folder = tempfile::tempdir().unwrap();
                loop {
                    let (k, bytes) = {
                        let mut next = next.lock().unwrap();
                        if *next == flips + cuts {
                            return;
                        }
                        let k = *next;
                        *next += 1;
                        (k, damaged(unsealed, &mut random.lock().unwrap(), k >= flips))
                    };
                    fs::write(folder.path().join("damaged.h5"), &bytes).unwrap();
                    let arguments: &[&str] = if k % 5 == 0 {
                        &["figures", "damaged.h5", "-o", "f", "--quiet"]
                    } else {
                        &["show", "damaged.h5"]
                    };
                    assert_civil(&freezeout(folder.path(), arguments), true, &format!("damage {k}"));
                }
            });
        }
    });
}

#[test]
fn without_a_digest_a_whole_file_reads_as_before() {
    let (folder, whole) = (tempfile::tempdir().unwrap(), whole());
    fs::write(folder.path().join("whole.h5"), &whole).unwrap();
    fs::write(folder.path().join("old.h5"), &whole[..whole.len() - SEAL]).unwrap();
    let show = |name: &str| {
        let output = freezeout(folder.path(), &["show", name, "--json"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    let sealed = show("whole.h5");
    assert!(sealed == show("old.h5"));
    // A copy by HDF5's own program.
    let repacked = Command::new("h5repack")
        .args(["whole.h5", "repacked.h5"])
        .current_dir(folder.path())
        .status();
    assert!(
        repacked
            .expect("h5repack is needed (package hdf5-tools)")
            .success()
    );
    assert!(sealed == show("repacked.h5"));
    // Nothing is left of the copies.
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3);
}
