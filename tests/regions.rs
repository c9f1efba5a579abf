//! Where a process lives: shaped domains, windows in walls, rings, ends at which the noise vanishes.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{covered, field, number, refused, refused_by_command, run};

const DISC: &str = r#"
name = "disc"
landscape.drift = ["0*x", "0*y"]
landscape.variables = ["x", "y"]
noise.tensor = [["1", "0"], ["0", "1"]]
region.domain = [[-1.05, 1.05], [-1.05, 1.05]]
region.within = { expression = "x^2 + y^2 < 1" }
region.edge = "wall"
region.window = { ball = { centre = [1.0, 0.0], radius = 0.5 } }
[escape]
cells = [40, 40]
start = { ball = { centre = [0.0, 0.0], radius = 0.0 } }
"#;

/// Free diffusion from the centre of the unit disc out of an arc of half-angle ε: 1/4 − ln sin(ε/2).
///
/// A. Singer, Z. Schuss and D. Holcman, J. Stat. Phys. 122, 465 (2006); the closed form by X. Chen and A. Friedman, SIAM J. Math. Anal. 43,
/// 2542 (2011).
#[test]
fn narrow_escape_from_a_disc() {
    let half_angle = 2.0 * 0.25f64.asin();
    let truth = 0.25 - (0.5 * half_angle).sin().ln();
    let (value, error) = covered(&run(DISC), "mean_first_passage_time", truth);
    assert!(error < 0.15 * value, "{value} ± {error}");
    // the same in paths that are mirrored at the wall and let out in the window
    let simulated = run(&format!(
        "{DISC}\n[escape.simulation]\nruns = 4000\ntime_step = 2e-3\n"
    ));
    let of = |name: &str| number(&simulated, name);
    let (mean, sigma) = (
        of("simulation/mean_first_passage_time"),
        of("simulation/mean_first_passage_time_standard_error"),
    );
    assert!(
        (mean - truth).abs() < 4.0 * sigma && sigma < 0.1 * truth,
        "{mean} ± {sigma}, true {truth}"
    );
    // a window half as wide is another problem
    let narrow = run(&DISC.replace("radius = 0.5", "radius = 0.25"));
    let (value, error) = (
        number(&narrow, "mean_first_passage_time"),
        number(&narrow, "mean_first_passage_time_error"),
    );
    assert!(
        value - error > truth && value - mean > 4.0 * sigma,
        "{value} ± {error}"
    );
}

/// A window as wide as a wall is an absorbing wall, for jumps along the axes and across them; half a window is neither.
#[test]
fn a_whole_window_is_an_absorbing_end() {
    let box_of = |tensor: &str, region: &str| {
        format!(
            r#"
name = "box"
landscape.loss = "x^2/2 + y^2"
landscape.variables = ["x", "y"]
noise.tensor = {tensor}
{region}
[escape]
cells = [16, 12]
start = {{ ball = {{ centre = [0.1, 0.2], radius = 0.0 }} }}
"#
        )
    };
    const DOMAIN: &str = "region.domain = [[-1, 1], [-1, 1]]\n";
    for tensor in [
        r#"[["0.3", "0"], ["0", "0.2 + 0.1*x^2"]]"#,
        r#"[["0.3", "0.1"], ["0.1", "0.2"]]"#,
    ] {
        let absorbing = r#"region.boundaries = [["wall", "absorbing"], ["wall", "wall"]]"#;
        let absorbing = run(&box_of(tensor, &format!("{DOMAIN}{absorbing}")));
        let window = |condition: &str| {
            let walls = r#"region.boundaries = [["wall", "wall"], ["wall", "wall"]]"#;
            let window = format!("region.window = {{ expression = \"{condition}\" }}");
            run(&box_of(tensor, &format!("{DOMAIN}{walls}\n{window}")))
        };
        let fields = |file: &_| field(file, "fields/mean_first_passage_time_field");
        // not linear: a plane would be a face of the grid
        let whole = fields(&window("x^3 > 0.999"));
        assert_eq!(whole, fields(&absorbing), "{tensor}");
        let half = fields(&window("y + 1000*(x - 1) > 0"));
        assert!(half.iter().zip(&whole).all(|(half, whole)| half > whole));
    }
}

#[test]
fn a_set_of_ones_own_bounds_a_drift_as_a_sublevel_bounds_a_loss() {
    let problem = |landscape: &str, region: &str| {
        format!(
            r#"
name = "shaped"
{landscape}
landscape.variables = ["x", "y"]
noise = {{ model = "isotropic", strength = 0.3 }}
region.domain = [[-1.5, 1.5], [-1.5, 1.5]]
{region}
[escape]
cells = [24, 24]
start = {{ ball = {{ centre = [-0.5, 0.0], radius = 0.0 }} }}
target = {{ expression = "x > 0.5" }}
"#
        )
    };
    const LOSS: &str = r#"landscape.loss = "x^2/2 + y^2""#;
    const DRIFT: &str = r#"landscape.drift = ["-x", "-2*y"]"#;
    let time = |text: &str| number(&run(text), "mean_first_passage_time");
    let expected = time(&problem(LOSS, "region.sublevel = 0.7\nregion.edge = \"wall\""));
    let within = "region.within = { expression = \"x^2/2 + y^2 < 0.7\" }\nregion.edge = \"wall\"";
    for landscape in [LOSS, DRIFT] {
        assert_close!(time(&problem(landscape, within)), expected, 1e-9, "{landscape}");
    }
    // the name that the key had
    let old = "region.sublevel = 0.7\nregion.sublevel_boundary = \"wall\"";
    assert_eq!(time(&problem(LOSS, old)), expected);
    let other = time(&problem(
        DRIFT,
        "region.within = { expression = \"x^2/2 + y^2 < 0.9\" }",
    ));
    assert!((other / expected - 1.0).abs() > 1e-3);
    let message = refused(&problem(DRIFT, "region.sublevel = 0.7"));
    assert!(
        message.contains("region.sublevel") && message.contains("within = { expression"),
        "{message}"
    );
}

const RING: &str = r#"
name = "ring"
landscape.loss = "-cos(x) - force*x"
landscape.parameters = { force = 0.3 }
landscape.variables = ["x"]
noise = { model = "isotropic", strength = 0.4 }
region.domain = [-3.141592653589793, 3.141592653589793]
region.boundaries = [["periodic", "periodic"]]
[escape]
cells = 60
start = { ball = { centre = [0.0], radius = 0.0 } }
"#;

/// The integrals of P. Reimann et al., Phys. Rev. Lett. 87, 010602 (2001), by adaptive quadrature to 12 digits; without force the law of
/// Lifson and Jackson, D/I₀(1/D)².
#[test]
fn motion_along_a_ring() {
    let tilted = run(RING);
    covered(&tilted, "mean_velocity", 0.045_186_190_669_86);
    let (_, error) = covered(&tilted, "effective_diffusivity", 0.133_893_758_598_3);
    assert!(error < 1e-8);
    let back = run(&RING.replace("force = 0.3", "force = -0.3"));
    covered(&back, "mean_velocity", -0.045_186_190_669_86);
    covered(&back, "effective_diffusivity", 0.133_893_758_598_3);
    let level = run(&RING.replace("force = 0.3", "force = 0.0"));
    let bessel = (0..40).fold((0.0, 1.0), |(sum, term), k: i32| {
        (
            sum + term,
            term * (0.5_f64 / 0.4).powi(2) / f64::from(k + 1).powi(2),
        )
    });
    covered(&level, "effective_diffusivity", 0.4 / bessel.0.powi(2));
    assert!(number(&level, "mean_velocity").abs() < 1e-15);
    // barriers beyond the range of f64 in the products of rates
    let steep = run(&RING
        .replace("force = 0.3", "force = 0.0")
        .replace("0.4", "0.0065"));
    let (value, error) = (
        number(&steep, "effective_diffusivity"),
        number(&steep, "effective_diffusivity_error"),
    );
    // D/I₀(1/D)² with I₀(z) = e^z/sqrt(2πz) (1 + 1/8z + 9/128z² + …)
    let z = 1.0_f64 / 0.0065;
    let series = 1.0 + 1.0 / (8.0 * z) + 9.0 / (128.0 * z * z) + 225.0 / (3072.0 * z.powi(3));
    let truth = 0.0065 * 2.0 * std::f64::consts::PI * z * (-2.0 * z).exp() / series.powi(2);
    assert!(
        (value - truth).abs() < error && error < 1e-3 * truth,
        "{value:e} ± {error:e}, {truth:e}"
    );
}

/// State-dependent noise, against unwrapped paths; a ring without the noise's dependence on the state is another.
#[test]
fn motion_along_a_ring_with_noise_that_depends_on_the_place() {
    use freezeout::diffusion::DriftDiffusion;
    use freezeout::ensemble::{CrossingTest, PathProtocol, positions_at};
    use freezeout::math::Point;
    use freezeout::noise::Expression;
    use freezeout::region::Domain;
    let noisy = RING.replace(
        r#"noise = { model = "isotropic", strength = 0.4 }"#,
        r#"noise.tensor = [["0.4 + 0.3*sin(x)"]]"#,
    );
    let file = run(&noisy);
    let (velocity, diffusivity) = (
        number(&file, "mean_velocity"),
        number(&file, "effective_diffusivity"),
    );
    let noise = Expression::<1>::new(&["0.4 + 0.3*sin(x)"], &["x"], &Default::default()).unwrap();
    let drift = |x: &Point<1>| Point::<1>::new(0.3 - x[0].sin());
    let walk = DriftDiffusion::new(drift, noise, 1.0).unwrap();
    let (runs, step, times) = (4000, 0.01, [40.0, 240.0]);
    let protocol = PathProtocol {
        starts: vec![[0.0]],
        runs,
        steps: 24_000,
        time_step: step,
        seed: 5,
        experiment: 1,
    };
    let space = Domain::unbounded();
    let lists = positions_at(&walk, &space, &times, CrossingTest::EndOfStep, &protocol, &|_| ()).unwrap();
    let span = times[1] - times[0];
    let moved: Vec<f64> = lists[1].iter().zip(&lists[0]).map(|(b, a)| b[0] - a[0]).collect();
    let mean = moved.iter().sum::<f64>() / runs as f64;
    let variance = moved.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (runs - 1) as f64;
    let (v, d) = (mean / span, variance / (2.0 * span));
    let (sigma_v, sigma_d) = (
        (2.0 * d / span / runs as f64).sqrt(),
        d * (2.0 / runs as f64).sqrt(),
    );
    // the time step adds 1 %, the difference of two times a boundary term below that
    assert!(
        (v - velocity).abs() < 4.0 * sigma_v + 0.01 * velocity.abs(),
        "{v} ± {sigma_v}, {velocity}"
    );
    assert!(
        (d - diffusivity).abs() < 4.0 * sigma_d + 0.01 * d,
        "{d} ± {sigma_d}, {diffusivity}"
    );
    let plain = number(&run(RING), "mean_velocity");
    assert!((v - plain).abs() > 8.0 * sigma_v, "{v} ± {sigma_v}, {plain}");
}

const HALF_LINE: &str = r#"
name = "half_line"
landscape.drift = ["1 - x^2"]
landscape.variables = ["x"]
noise.tensor = [["x^2/2"]]
region.domain = [0, 3]
region.boundaries = [["reflecting", "wall"]]
[escape]
cells = 60
start = { ball = { centre = [1.0], radius = 0.0 } }
target = { half_space = { normal = [1.0], offset = 2.0 } }
"#;

/// Feller's integral ∫₁² s(y) ∫₀^y m, by adaptive quadrature: s = e^{2/y + 2y}, m = 2 e^{−2/z − 2z}/z²; and s = e^{y²/2}/y, m = e^{−z²/2}.
#[test]
fn noise_that_vanishes_at_an_end_that_is_never_reached() {
    let file = run(HALF_LINE);
    covered(&file, "mean_first_passage_time", 3.799_925_625_120_7);
    let says = |file: &freezeout::output::ResultFile| {
        let attributes = file.group("escape").unwrap().attributes().clone();
        format!(
            "{:?} {:?}",
            attributes.get("lower_end"),
            attributes.get("warning")
        )
    };
    assert!(
        says(&file).contains("entrance") && says(&file).contains("None"),
        "{}",
        says(&file)
    );
    let linear = HALF_LINE.replace("x^2/2", "x");
    covered(&run(&linear), "mean_first_passage_time", 2.447_899_241_708);
    // D ~ x, b = 1/2: reached, so that its wall must be declared
    let regular = run(&linear.replace("1 - x^2", "0.5 - x^2"));
    assert!(
        says(&regular).contains("regular") && says(&regular).contains("too small"),
        "{}",
        says(&regular)
    );
}

#[test]
fn what_an_end_without_noise_cannot_do_is_refused() {
    let with = |drift: &str, tensor: &str, end: &str| {
        HALF_LINE
            .replace("1 - x^2", drift)
            .replace("x^2/2", tensor)
            .replace("\"reflecting\"", end)
    };
    refused_by_command(
        &with("-x", "x^2/2", "\"wall\""),
        &["region.domain", "natural", "approached for ever"],
    );
    refused_by_command(
        &with("-x", "x", "\"reflecting\""),
        &["region.boundaries", "exit", "\"absorbing\""],
    );
    refused_by_command(
        &with("1 - x^2", "x^2/2", "\"absorbing\""),
        &["region.boundaries", "entrance", "\"reflecting\""],
    );
    // where it can absorb, it does: x from 1 with b = −x and D = x, to 0 or 2
    let absorbing = run(&with("-x", "x", "\"absorbing\""));
    let p = number(&absorbing, "target_probability");
    // s = e^y: (e − 1)/(e² − 1)
    let truth = 1.0 / (1.0 + std::f64::consts::E);
    assert!(
        (p - truth).abs() <= number(&absorbing, "target_probability_error"),
        "{p}, true {truth}"
    );
}

#[test]
fn regions_that_make_no_sense_are_refused() {
    let line = HALF_LINE.replace(
        "[escape]",
        "region.window = { expression = \"x > 2.9\" }\n[escape]",
    );
    let message = refused(&line);
    assert!(
        message.contains("region.window") && message.contains("absorbing"),
        "{message}"
    );
    let message = refused(&DISC.replace("x^2 + y^2 < 1\"", "x^2 + z^2 < 1\""));
    assert!(message.contains("region.within"), "{message}");
    let message = refused(&DISC.replace("region.edge = \"wall\"", "region.edge = \"periodic\""));
    assert!(message.contains("region.edge"), "{message}");
    let message = refused(&format!("{DISC}\n[escape.simulation]\nmethod = \"sgd\"\n"));
    assert!(message.contains("escape.simulation"), "{message}");
    let message = refused(&format!("{RING}\n[escape.simulation]\nruns = 100\n"));
    assert!(message.contains("target"), "{message}");
}
