//! The guide in `docs/`: its commands are run, and their output and the numbers of its sentences held against what they give. `docs/README.md` states the conventions.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::output::read;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Digits from which on a decimal number in a sentence must be marked.
const MARKED_DIGITS: usize = 3;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether `line` is `pattern`, in which each `…` stands for any text.
fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else {
        return pattern == line;
    };
    line.strip_prefix(first).is_some_and(|line| {
        let ends = line.char_indices().map(|(k, _)| k).chain([line.len()]);
        ends.into_iter().any(|k| line_matches(rest, &line[k..]))
    })
}

/// Whether all lines match; a line `…` stands for any lines.
fn lines_match(patterns: &[&str], lines: &[&str]) -> bool {
    match (patterns.split_first(), lines.split_first()) {
        (None, first) => first.is_none(),
        (Some((&"…", rest)), _) => (0..=lines.len()).any(|k| lines_match(rest, &lines[k..])),
        (Some((pattern, patterns)), Some((line, lines))) => {
            line_matches(pattern, line) && lines_match(patterns, lines)
        }
        (Some(_), None) => false,
    }
}

/// Lines without blanks at their ends, and without empty ones before and after all.
fn lines(text: &str) -> Vec<&str> {
    text.trim_matches('\n').lines().map(str::trim_end).collect()
}

/// Digits of a number as it is written, those that begin it with 0 left out.
fn digits(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap();
    let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    all.trim_start_matches('0').len()
}

/// Whether `value` rounds to `number` in the digits in which this is written.
fn rounds_to(value: f64, number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let unit = 10f64.powi(exponent.parse::<i32>().unwrap() - i32::try_from(decimals).unwrap());
    // A unit of rounding beside the half: 0.125 may be written .12 or .13.
    (value - number.parse::<f64>().unwrap()).abs() <= unit * (0.5 + 1e-9)
}

/// Decimal numbers of a sentence, code and the targets of links left out.
fn decimals(prose: &str) -> Vec<&str> {
    let text = prose.split('`').step_by(2);
    let outside_links = text.flat_map(|text| {
        let mut parts = text.split("](");
        let first = parts.next();
        first
            .into_iter()
            .chain(parts.map(|part| part.split_once(')').map_or("", |(_, rest)| rest)))
    });
    outside_links
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && !".-+".contains(c)))
        .map(|word| word.trim_end_matches(['.', '-']))
        .filter(|word| word.contains('.') && word.parse::<f64>().is_ok())
        .collect()
}

/// What one paragraph claims: its marks, `<!-- NAME: PATH = NUMBER -->` for a number of a result and `<!-- FILE says TEXT -->` for
/// one that stands in another file of the project, must be true and be said by the sentences, and no number may be without.
fn check_paragraph(paragraph: &str, folder: &Path) -> Result<(), String> {
    let mut sentences = String::new();
    let mut marks = Vec::new();
    let mut rest = paragraph;
    while let Some((before, after)) = rest.split_once("<!--") {
        let (mark, after) = after.split_once("-->").ok_or("a comment does not end")?;
        sentences += before;
        marks.push(mark.trim());
        rest = after;
    }
    sentences += rest;
    let mut known = Vec::new();
    for mark in marks {
        let said = if let Some((name, text)) = mark.split_once(" says ") {
            let file = fs::read_to_string(root().join(name)).map_err(|e| format!("{name}: {e}"))?;
            if !file.contains(text) {
                return Err(format!("{name} does not say {text}"));
            }
            text
        } else {
            let wrong = || format!("{mark}: neither NAME: GROUP/RECORD = NUMBER nor FILE says TEXT");
            let (place, number) = mark.split_once(" = ").ok_or_else(wrong)?;
            let (name, path) = place.split_once(": ").ok_or_else(wrong)?;
            let (path, entry) = match path.trim_end_matches(']').split_once('[') {
                Some((path, entry)) => (path, entry.parse().map_err(|_| wrong())?),
                None => (path, 0),
            };
            let result = read(folder.join(format!("data/results/{name}.h5"))).map_err(|e| e.to_string())?;
            let record = result.record(path).map_err(|e| e.to_string())?;
            let value = record
                .numbers()
                .and_then(|all| all.get(entry).copied())
                .ok_or_else(wrong)?;
            if !rounds_to(value, number) {
                return Err(format!("{mark}, but it is {value}"));
            }
            number
        };
        if !sentences.contains(said) {
            return Err(format!("{mark}, which the paragraph does not say"));
        }
        known.push(said);
    }
    match decimals(&sentences)
        .into_iter()
        .find(|number| digits(number) >= MARKED_DIGITS && !known.iter().any(|said| said.contains(number)))
    {
        Some(number) => Err(format!("{number} is not marked: {}", sentences.trim())),
        None => Ok(()),
    }
}

/// Relative links must lead to files.
fn check_links(text: &str, chapter: &Path) -> Result<(), String> {
    for part in text.split("](").skip(1) {
        let target = part.split([')', '#']).next().unwrap();
        let outside = target.is_empty() || target.contains("://");
        if !outside && !chapter.parent().unwrap().join(target).exists() {
            return Err(format!("no file {target}"));
        }
    }
    Ok(())
}

fn run(script: &str, folder: &Path) -> Result<String, String> {
    let program = Path::new(env!("CARGO_BIN_EXE_freezeout")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-ec", &format!("exec 2>&1\n{script}")])
        .env("PATH", path)
        .current_dir(folder)
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => Err(format!("{script}fails:\n{text}")),
    }
}

/// `python3 -m py_compile`, where there is a Python.
fn compile_python(text: &str, folder: &Path) -> Result<(), String> {
    fs::write(folder.join("block.py"), text).map_err(|e| e.to_string())?;
    match Command::new("python3")
        .args(["-m", "py_compile", "block.py"])
        .current_dir(folder)
        .output()
    {
        Ok(output) if !output.status.success() => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        _ => Ok(()),
    }
}

/// Everything that a chapter says, in a folder of its own.
fn check_chapter(text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let folder = folder.path();
    let mut output = None;
    for (k, part) in format!("\n{text}").split("\n```").enumerate() {
        if k % 2 == 0 {
            part.split("\n\n")
                .try_for_each(|paragraph| check_paragraph(paragraph, folder))?;
            continue;
        }
        let (language, block) = part.split_once('\n').ok_or("an empty block")?;
        let block = format!("{block}\n");
        match language.trim() {
            "toml" => {
                let name = block.lines().next().and_then(|line| line.strip_prefix("# "));
                let name = name.filter(|name| name.ends_with(".toml") && !name.contains(['/', ' ']));
                let name = name.ok_or_else(|| format!("the first line names no file:\n{block}"))?;
                fs::write(folder.join(name), &block).map_err(|e| e.to_string())?;
            }
            "sh" => output = Some(run(&block, folder)?),
            "text" => {
                let found = output
                    .take()
                    .ok_or_else(|| format!("output of no command:\n{block}"))?;
                if !lines_match(&lines(&block), &lines(&found)) {
                    return Err(format!("the guide says\n{block}\nthe program says\n{found}"));
                }
            }
            "python" => compile_python(&block, folder)?,
            // What needs a cluster, a network or a browser.
            "bash" => {}
            other => return Err(format!("a block of {other:?}")),
        }
    }
    Ok(())
}

#[test]
fn every_command_and_number_of_the_guide_is_true() {
    let source = root().join("docs/src");
    let summary = fs::read_to_string(source.join("SUMMARY.md")).unwrap();
    let chapters: Vec<PathBuf> = summary
        .split("](")
        .skip(1)
        .map(|part| source.join(part.split_once(')').unwrap().0))
        .collect();
    let files = fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path());
    let forgotten: Vec<PathBuf> = files
        .filter(|file| !chapters.contains(file) && !file.ends_with("SUMMARY.md"))
        .collect();
    assert!(forgotten.is_empty(), "not in SUMMARY.md: {forgotten:?}");
    let mut wrong = Vec::new();
    for chapter in chapters {
        let text = fs::read_to_string(&chapter).unwrap();
        let begin = std::time::Instant::now();
        let outcome = check_links(&text, &chapter).and_then(|()| check_chapter(&text));
        println!("{}: {:.1} s", chapter.display(), begin.elapsed().as_secs_f64());
        wrong.extend(
            outcome
                .err()
                .map(|message| format!("{}: {message}", chapter.display())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_wrong_number_or_line_in_a_chapter_is_found() {
    let chapter = r#"# Control

```toml
# well.toml
name = "well"
landscape.loss = "(x^2 - 1)^2/4"
noise = { model = "isotropic", strength = 0.1 }
region.domain = [[-2.5, 2.5]]
[escape]
cells = [400]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }
```

```sh
freezeout run well.toml
```

```text
[escape]
  mean_first_passage_time …  66.268626… ± …
…
wrote data/results/well.h5
```

<!-- well: escape/mean_first_passage_time = 66.27 --> It takes 66.27 units of time.

<!-- LICENSE-MIT says MIT License --> It is under the MIT License.
"#;
    check_chapter(chapter).unwrap();
    for (right, wrong, reason) in [
        ("= 66.27 -->", "= 66.28 -->", "but it is 66.26"),
        ("takes 66.27", "takes 66.28", "does not say"),
        ("-->", "-- >", "does not end"),
        (
            "<!-- well: escape/mean_first_passage_time = 66.27 -->",
            "",
            "66.27 is not marked",
        ),
        ("  66.268626…", "  66.268627…", "the program says"),
        ("…\nwrote", "wrote", "the program says"),
        ("run well.toml", "run wel.toml", "fails"),
        ("strength = 0.1", "strength = 0.11", "the program says"),
        ("# well.toml", "# a well", "names no file"),
        ("says MIT License", "says MIT Licence", "does not say"),
        ("escape/mean_first", "escape/men_first", "men_first"),
    ] {
        let message = check_chapter(&chapter.replace(right, wrong)).unwrap_err();
        assert!(message.contains(reason), "{wrong}: {message}");
    }
    let chapter = Path::new("docs/src/control.md");
    assert!(check_links("[a](no_such_file.md)", &root().join(chapter)).is_err());
}

#[test]
fn numbers_count_by_the_digits_in_which_they_are_written() {
    assert!(rounds_to(66.2686, "66.27") && !rounds_to(66.2686, "66.26"));
    assert!(rounds_to(1.0049e5, "1.00e5") && !rounds_to(1.0051e5, "1.00e5"));
    assert_eq!(
        decimals("At 1.25, .5 and 3e-2 `9.99` [a](b.1.23) 7.125e-3."),
        ["1.25", ".5", "7.125e-3"]
    );
    assert_eq!((digits("0.0125"), digits("1.50e-10")), (3, 3));
}
