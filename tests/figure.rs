//! Figures from synthetic result files: drawn, complete, the same every time. With `FREEZEOUT_FIGURES=folder` they stay there to look at.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod figure_data;

use figure_data::{add_groups, freezing_line, log_space, space, with_error};
use freezeout::Error;
use freezeout::config::figures as catalogue;
use freezeout::output::{Records, ResultFile};
use freezeout::plot::{
    Axis, ColourMap, ColourScale, Dash, Figure, Format, Layer, ONE_COLUMN, Panel, Scale, Style, TWO_COLUMNS,
    cell_edges, draw, svg,
};
use freezeout::two_valleys::effective_potential::{EffectivePotentialResult, PapersPotential};
use freezeout::two_valleys::freezing_line::FreezingLineResult;
use freezeout::two_valleys::freezing_theory::{FreezingTheoryResult, PapersFreezingLine};
use freezeout::two_valleys::phase_diagram::PhaseDiagramResult;
use freezeout::two_valleys::reference::PaperPhaseDiagram;
use freezeout::two_valleys::valley_columns::ValleyMeans;
use std::io::Read;
use std::path::PathBuf;

/// Numbers that look like those of the two-valley model, by formulas that mean nothing.
fn synthetic() -> ResultFile {
    let mut file = ResultFile::new();
    let eta = log_space(0.01, 0.1, 10);
    let cells: Vec<(f64, f64)> = eta.iter().flat_map(|e| eta.iter().map(|s| (*e, *s))).collect();
    let p = |shift: f64| -> Vec<f64> {
        let wobble = |k: usize| shift * (k as f64 * 1.7).sin();
        let of = |(k, (e, s)): (usize, &(f64, f64))| 0.5 + 0.49 * (e * s / 1e-3).powf(0.7).tanh() + wobble(k);
        cells.iter().enumerate().map(of).collect()
    };
    let t: Vec<f64> = cells
        .iter()
        .map(|(e, s)| 2000.0 * (s * e / 1e-3).powf(0.6) / e * 0.01 + 1.0)
        .collect();
    let means = |p: Vec<f64>, t: Vec<f64>, y: Vec<f64>, hop_y: Vec<f64>| ValleyMeans {
        mean_hops: with_error(vec![3.0; p.len()], 0.05),
        unfrozen_fraction: vec![0.0; p.len()],
        mean_final_y: vec![25.0; p.len()],
        p_flat: with_error(p, 0.009),
        mean_freezing_iteration: with_error(t, 10.0),
        mean_freezing_y: with_error(y, 0.16),
        mean_last_hop_y: with_error(hop_y, 0.16),
    };
    let ours = PhaseDiagramResult {
        regime: None,
        runs: 2000,
        steps: 20_000,
        start_y: 5.0,
        transfer: None,
        learning_rate: eta.clone(),
        sigma: eta.clone(),
        means: means(p(0.0), t.clone(), t.clone(), t.clone()),
    };
    let theirs = PaperPhaseDiagram {
        learning_rate: eta.clone(),
        sigma: eta,
        p_flat: p(0.01),
        mean_freezing_y: t.clone(),
        mean_freezing_iteration: t,
    };
    file.push(ours.group().unwrap()).unwrap();
    file.push(theirs.group().unwrap()).unwrap();

    let noise = vec![
        5e-5, 7e-5, 1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3,
    ];
    let height = |d: f64| 1.0 + 150.0 * d.powf(0.51);
    let fraction = |d: f64| 0.93 + 0.012 * (d / 1e-4).ln();
    let jitter = |k: usize| (k as f64 * 2.3).cos();
    let with_jitter = |f: &dyn Fn(f64) -> f64, size: f64| -> Vec<f64> {
        let of = |(k, d): (usize, &f64)| f(*d) + size * jitter(k);
        noise.iter().enumerate().map(of).collect()
    };
    let y = with_jitter(&height, 0.15);
    let hop_y = y.iter().map(|y| 0.9 * y + 0.05).collect();
    let means = means(with_jitter(&fraction, 0.008), y.clone(), y, hop_y);
    file.push(freezing_line(noise, means)).unwrap();
    let fine = log_space(4e-5, 2.5e-3, 60);
    let along = |f: &dyn Fn(f64) -> f64| fine.iter().map(|d| f(*d)).collect::<Vec<f64>>();
    let theory = FreezingTheoryResult {
        start_y: 1.0,
        start_p_flat: 0.5,
        ramp: 1.0,
        regime: vec!["adiabatic".into()],
        time_scales: figure_data::time_scales(60),
        p_flat: along(&fraction),
        p_flat_error: along(&|_| 1e-6),
        mean_freezing_y: along(&|d| 0.9 * height(d) + 0.05),
        mean_freezing_y_error: along(&|d| 0.9 * height(d) + 0.05),
        late_hop_probability: along(&|d| 0.9 * height(d) + 0.05),
        mean_freezing_y_poisson: along(&height),
        mean_freezing_y_ridge: along(&height),
        mean_freezing_time: along(&height),
        mean_freezing_time_ridge: along(&height),
        mean_hops: along(&height),
        papers: Some(PapersFreezingLine {
            paper_mean_freezing_y: along(&|d| if d < 1e-4 { f64::NAN } else { 0.8 * height(d) }),
            paper_p_flat: along(&|d| fraction(d) - 0.015),
        }),
        noise_strength: fine.clone(),
    };
    file.push(theory.group().unwrap()).unwrap();

    let x = space(-1.2, 1.5, 300);
    let wells = |x: f64, barrier: f64, left: f64| {
        if x > 0.0 {
            barrier * (x / 0.8 - 1.0).powi(2)
        } else {
            left * (x / 0.65 + 1.0).powi(2)
        }
    };
    let rows = |depth: f64, tilt: f64| -> Vec<f64> {
        [1.0, 4.0]
            .iter()
            .flat_map(|b| {
                x.iter()
                    .map(|x| wells(*x, depth * b * 0.01, depth * b * 0.01 * tilt))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let potential = EffectivePotentialResult {
        noise_strength: 1e-3,
        effective_temperature: vec![1e-3; 2],
        loss: rows(1.0, 1.0),
        effective_potential: rows(1.2, 0.66),
        papers: Some(PapersPotential {
            paper_effective_potential: rows(1.3, 0.6),
            paper_effective_potential_ito: rows(1.3, 0.7),
        }),
        x: x.clone(),
        y: vec![5.0, 40.0],
    };
    file.push(potential.group().unwrap()).unwrap();
    add_groups(&mut file);
    file
}

/// One of everything that a panel can hold.
fn everything() -> Figure {
    let x = space(-2.0, 2.0, 81);
    let grid = cell_edges(&x, Scale::Linear).unwrap();
    let field: Vec<f64> = x
        .iter()
        .flat_map(|y| x.iter().map(|x| (x * x + y - 1.0) * 2.5).collect::<Vec<_>>())
        .collect();
    let mut holed = field.clone();
    holed[40 * 81 + 40] = f64::NAN;
    let bar = ColourScale {
        map: ColourMap::Diverging,
        axis: Axis::linear("*z*-score").with_range(-10.0, 10.0),
        bar: true,
    };
    let map = Panel::new("map, contours", Axis::linear("*θ*_1"), Axis::linear("*θ*_2"))
        .with(Layer::Map {
            x: grid.clone(),
            y: grid,
            values: holed,
            colours: bar,
        })
        .with(Layer::Contour {
            x: x.clone(),
            y: x.clone(),
            values: field,
            levels: vec![0.0],
            label: "*z* = 0".into(),
            style: Style::nth(6),
        });
    let time = log_space(1e-3, 1e4, 200);
    let decay = |rate: f64| {
        time.iter()
            .map(|t| 1e-3 * (-(t * rate).ln().powi(2) * 0.2).exp())
            .collect::<Vec<f64>>()
    };
    let mut lines = Panel::new(
        "log axes, bands",
        Axis::log("time *t* = *ηk*"),
        Axis::log("rate").with_range(1e-6, 1e-2),
    );
    for n in 0..4 {
        let y = decay(10_f64.powi(-(n as i32)));
        let dash = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDot][n];
        if n == 0 {
            lines = lines.with(Layer::Band {
                x: time.clone(),
                low: y.iter().map(|y| y / 2.0).collect(),
                high: y.iter().map(|y| y * 2.0).collect(),
                label: "68 %".into(),
                style: Style::nth(0),
            });
        }
        lines = lines.with(Layer::line(
            &time,
            &y,
            &format!("Δ = 10^{{−{n}}}"),
            Style::nth(n).with_dash(dash),
        ));
    }
    let t = space(0.0, 9.0, 10);
    let mut points = Panel::new("points", Axis::linear("*k*"), Axis::linear("error"));
    for n in 0..4 {
        let y: Vec<f64> = t
            .iter()
            .map(|t| 1e-5 * ((t + n as f64).sin() + n as f64))
            .collect();
        points = points.with(Layer::points(
            &t,
            &y,
            &[3e-6; 10],
            &format!("route {}", n + 1),
            Style::nth(n),
        ));
    }
    points = points
        .with(Layer::Horizontal {
            y: 0.0,
            label: String::new(),
            style: Style::reference(),
        })
        .with(Layer::Vertical {
            x: 4.5,
            label: "reference".into(),
            style: Style::reference(),
        })
        .with(Layer::Text {
            x: 4.7,
            y: -1.6e-5,
            text: "*t*_f".into(),
        });
    let few = Panel::new(
        "half a decade",
        Axis::log("*ε*"),
        Axis::linear("*q*").with_range(0.0, 1.0),
    )
    .with(Layer::line(
        &log_space(0.015, 0.09, 30),
        &space(0.0, 1.0, 30),
        "committor",
        Style::nth(2),
    ));
    Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.7,
        panels: vec![map, lines, points, few],
    }
}

#[test]
fn panels_of_a_narrow_figure_stand_one_below_the_other() {
    let at = |columns: usize, width: f64| {
        let figure = Figure {
            columns,
            ..everything()
        };
        let figure = figure.at_width(width);
        (figure.columns, figure.width)
    };
    assert_eq!(at(2, 3.4), (1, 3.4));
    assert_eq!(at(2, 2.0), (1, 2.0));
    assert_eq!(at(3, 5.0), (2, 5.0));
    // as wide as it is made for, and wider
    assert_eq!(at(3, TWO_COLUMNS), (3, TWO_COLUMNS));
    assert_eq!(at(2, 12.0), (2, 12.0));
}

#[test]
fn every_figure_is_drawn_in_every_format() {
    let temporary = tempfile::tempdir().unwrap();
    let folder =
        std::env::var_os("FREEZEOUT_FIGURES").map_or_else(|| temporary.path().to_path_buf(), PathBuf::from);
    let file = synthetic();
    assert_eq!(catalogue::available(&file).len(), catalogue::all().count());
    let mut figures = vec![("everything", everything())];
    for entry in catalogue::available(&file) {
        figures.push((entry.name, catalogue::figure(entry.name, &file).unwrap()));
    }
    for (name, figure) in figures {
        draw(&figure, folder.join(name), &Format::ALL).unwrap();
        let png = std::fs::read(folder.join(format!("{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        let pixels = u32::from_be_bytes(png[16..20].try_into().unwrap());
        assert_eq!(
            pixels,
            (figure.width * 300.0).ceil() as u32,
            "300 pixels per inch"
        );
        let text = std::fs::read_to_string(folder.join(format!("{name}.svg"))).unwrap();
        assert!(text.starts_with("<?xml") && text.ends_with("</svg>\n"));
        // Letters of an encoded image may come in any order.
        let shapes = text.split("base64,").enumerate().map(|(k, part)| match k {
            0 => part,
            _ => part.split_once('"').unwrap().1,
        });
        let shapes: String = shapes.collect();
        assert!(!shapes.contains("NaN") && !shapes.contains("inf"), "{name}");
        for panel in &figure.panels {
            let title = format!("aria-label=\"{}\"", panel.title);
            assert!(
                panel.title.is_empty() || text.contains(&title),
                "{name} lacks {title}"
            );
        }
        let is_map = |layer: &Layer| matches!(layer, Layer::Map { .. });
        let is_barred = |layer: &Layer| matches!(layer, Layer::Map { colours, .. } | Layer::Coloured { colours, .. } if colours.bar);
        let count = |what: &dyn Fn(&Layer) -> bool| {
            let panels = figure.panels.iter();
            panels.filter(|panel| panel.layers.iter().any(what)).count()
        };
        let images = text.matches("<image ").count();
        assert_eq!(images, count(&is_map) + count(&is_barred), "{name}");
        let pdf = std::fs::read(folder.join(format!("{name}.pdf"))).unwrap();
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
        let found = characters(&pdf);
        let wanted = figure.panels.iter().flat_map(|panel| panel.title.chars());
        for character in wanted.filter(|c| c.is_alphanumeric()) {
            assert!(found.contains(&character), "{name}: {character} is no text");
        }
        // Negative control: no label has it.
        assert!(!found.contains(&'Ж'));
        // The same description gives the same bytes, and none of them is a time.
        assert_eq!(svg(&figure).unwrap(), text);
        draw(&figure, folder.join("again"), &[Format::Pdf]).unwrap();
        assert!(std::fs::read(folder.join("again.pdf")).unwrap() == pdf, "{name}");
        assert!(!pdf.windows(4).any(|w| w == b"Date"));
    }
}

/// The characters that the fonts of a PDF say their glyphs stand for.
fn characters(pdf: &[u8]) -> Vec<char> {
    let mut found = Vec::new();
    let begin = b"\nstream\n";
    for start in (0..pdf.len()).filter(|n| pdf[*n..].starts_with(begin)) {
        let mut text = String::new();
        let packed = &pdf[start + begin.len()..];
        if flate2::read::ZlibDecoder::new(packed)
            .read_to_string(&mut text)
            .is_err()
        {
            continue;
        }
        // <code> <UTF-16>
        let pairs = text.lines().filter(|line| line.starts_with('<'));
        found.extend(pairs.filter_map(|line| {
            let code = line.split(' ').nth(1)?.trim_matches(['<', '>']);
            char::from_u32(u32::from_str_radix(code, 16).ok()?)
        }));
    }
    found
}

/// The file without a group.
fn without(name: &str) -> ResultFile {
    let mut file = ResultFile::new();
    for group in synthetic().groups().iter().filter(|g| g.name() != name) {
        file.push(group.clone()).unwrap();
    }
    file
}

#[test]
fn optional_groups_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("FREEZEOUT_FIGURES").map_or_else(
        || folder.path().to_path_buf(),
        |f| PathBuf::from(f).join("without"),
    );
    std::fs::create_dir_all(&folder).unwrap();
    for (group, name) in [
        ("paper_phase_diagram", "phase_diagram"),
        ("freezing_path", "p_flat_path"),
        ("freezing_path", "hop_rate"),
        ("freezing_theory", "freezing_line"),
        ("freezing_line", "final_probability"),
    ] {
        let file = without(group);
        assert_eq!(file.groups().len() + 1, synthetic().groups().len());
        let (all, fewer) = (
            catalogue::figure(name, &synthetic()).unwrap(),
            catalogue::figure(name, &file).unwrap(),
        );
        assert_ne!(all, fewer, "{name} does not depend on {group}");
        draw(&fewer, folder.join(name), &Format::ALL).unwrap();
    }
}

#[test]
fn paths_take_at_most_four_noise_strengths_that_have_a_theory() {
    let figure = catalogue::figure("p_flat_path", &synthetic()).unwrap();
    let labels: Vec<&str> = figure.panels[0]
        .layers
        .iter()
        .filter_map(|layer| match layer {
            Layer::Points { label, .. } => Some(label.as_str()),
            _ => None,
        })
        .collect();
    // Of 1, 2, 5, 10, 20 × 10^{-4}, which both groups have.
    assert_eq!(
        labels,
        ["1×10^{−4}", "2×10^{−4}", "5×10^{−4}", "2×10^{−3}"].map(|d| format!("Δ = {d}"))
    );
}

#[test]
fn runs_without_a_hop_are_drawn() {
    let mut file = ResultFile::new();
    let mut line = FreezingLineResult::of(&synthetic()).unwrap();
    line.path_hops.fill(0.0);
    file.push(line.group().unwrap()).unwrap();
    for name in ["p_flat_path", "hop_rate"] {
        let text = svg(&catalogue::figure(name, &file).unwrap()).unwrap();
        assert!(!text.contains("NaN"), "{name}");
        assert_eq!(text.contains("no hop between"), name == "hop_rate");
    }
}

#[test]
fn nothing_leaves_the_page() {
    let text = svg(&everything()).unwrap();
    let attribute = |line: &str, name: &str| -> Option<String> {
        Some(
            line.split(&format!(" {name}=\""))
                .nth(1)?
                .split('"')
                .next()?
                .to_string(),
        )
    };
    let page: Vec<f64> = attribute(&text, "viewBox")
        .unwrap()
        .split(' ')
        .map(|v| v.parse().unwrap())
        .collect();
    for line in text.lines().filter(|l| l.starts_with("<use")) {
        let matrix = attribute(line, "transform").unwrap();
        let numbers: Vec<f64> = matrix["matrix(".len()..matrix.len() - 1]
            .split(',')
            .map(|v| v.parse().unwrap())
            .collect();
        let (x, y) = (numbers[4], numbers[5]);
        assert!(
            x >= 0.0 && x <= page[2] && y >= 0.0 && y <= page[3],
            "{line} is outside {page:?}"
        );
    }
}

#[test]
fn a_figure_that_cannot_be_drawn_says_why() {
    let file = synthetic();
    let error = catalogue::figure("phase", &file).unwrap_err().to_string();
    assert!(
        error.contains("known are ") && error.contains(", phase_diagram"),
        "{error}"
    );
    let empty = ResultFile::new();
    let error = catalogue::figure("phase_diagram", &empty).unwrap_err();
    assert!(
        matches!(&error, Error::Input { path, .. } if path == "phase_diagram"),
        "{error}"
    );
    assert!(catalogue::available(&empty).is_empty());

    let figure = |layer: Layer| Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.7,
        panels: vec![Panel::new("", Axis::log("x"), Axis::linear("y")).with(layer)],
    };
    let uneven = figure(Layer::line(&[1.0, 2.0], &[1.0], "", Style::nth(0)));
    assert!(matches!(
        svg(&uneven),
        Err(Error::DimensionMismatch {
            expected: 2,
            got: 1,
            ..
        })
    ));
    let nothing = figure(Layer::line(&[-1.0, 0.0], &[1.0, 2.0], "", Style::nth(0)));
    assert!(matches!(svg(&nothing), Err(Error::NotFinite { .. })));
    let narrow = Figure {
        width: 0.6,
        ..figure(Layer::line(&[1.0, 2.0], &[1.0, 2.0], "", Style::nth(0)))
    };
    assert!(matches!(svg(&narrow), Err(Error::InvalidParameter { .. })));
    let fine = figure(Layer::line(&[1.0, 2.0], &[1.0, 2.0], "", Style::nth(0)));
    assert!(matches!(
        draw(&fine, "/no/such/folder/figure", &Format::ALL),
        Err(Error::Output { .. })
    ));
}
