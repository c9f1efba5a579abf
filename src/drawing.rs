//! `freezeout figures`: which figures, in which formats, how wide, and where.

use crate::terminal::print;
use freezeout::output::ResultFile;
use freezeout::plot::{self, Format};
use freezeout::{Error, Result, config};
use std::path::Path;

/// What is drawn, and how.
#[derive(clap::Args, Default)]
pub struct DrawOptions {
    /// Only these figures, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<String>,
    /// Formats, separated by commas: svg, png, pdf [default: all].
    #[arg(long, value_delimiter = ',', value_name = "FORMATS")]
    format: Vec<String>,
    /// Width in inches [default: that of one or two columns of a journal, by the figure].
    #[arg(long, value_name = "INCHES")]
    width: Option<f64>,
}

/// Widths that text of 7 to 8.5 points leaves room for, and that a page has.
const WIDTHS: [f64; 2] = [2.0, 20.0];

impl DrawOptions {
    fn formats(&self) -> Result<Vec<Format>> {
        match self.format.as_slice() {
            [] => Ok(Format::ALL.to_vec()),
            names => names.iter().map(|name| name.parse()).collect(),
        }
    }

    fn check(&self, available: &[&str]) -> Result<()> {
        let [least, most] = WIDTHS;
        if self.width.is_some_and(|width| !(least..=most).contains(&width)) {
            return Err(Error::config(
                "--width",
                format!("between {least} and {most} inches are possible"),
            ));
        }
        match self.only.iter().find(|name| !available.contains(&name.as_str())) {
            Some(name) => Err(Error::config(
                "--only",
                format!(
                    "{name:?} is none of the figures that this file allows: {}",
                    available.join(", ")
                ),
            )),
            None => Ok(()),
        }
    }
}

/// Draws what can be drawn; a figure that the file cannot fill is named and left out.
pub fn draw(result: &ResultFile, folder: &Path, options: &DrawOptions, quiet: bool) -> Result<()> {
    let formats = options.formats()?;
    let mut figures = config::figures::of_file(result)?;
    let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    options.check(&names)?;
    figures.retain(|figure| options.only.is_empty() || options.only.contains(&figure.name));
    let ends: Vec<String> = formats.iter().map(|f| format!(".{}", f.name())).collect();
    let ends = match ends.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => ends.concat(),
    };
    let (mut drawn, mut refused) = (0, None);
    for entry in figures {
        let stem = folder.join(&entry.name);
        let picture = entry.figure.and_then(|picture| {
            let picture = match options.width {
                Some(width) => picture.at_width(width),
                None => picture,
            };
            make_folder(folder)?;
            plot::draw(&picture, &stem, &formats)
        });
        match picture {
            Ok(()) => drawn += 1,
            Err(error @ Error::Output { .. }) => return Err(error),
            Err(error) => {
                if !quiet {
                    print(&format!("left out {}: {error}", entry.name))?;
                }
                refused = Some(error);
                continue;
            }
        }
        if !quiet {
            print(&format!("drew {}{ends}: {}", stem.display(), entry.description))?;
        }
    }
    if drawn > 0 {
        return Ok(());
    }
    Err(refused.unwrap_or_else(|| Error::NothingToDraw {
        message: "the file holds no group that one is made of".into(),
    }))
}

/// Makes a folder, if there is none.
pub fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::Output {
        path: folder.display().to_string(),
        message: e.to_string(),
    })
}
