//! `[freezing]` from configurations: the two-valley model written as a formula, SGD on it, and what is refused.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::output::Records;
use freezeout::task::freezing::FreezingResult;

const HEAD: &str = r#"
name = "valleys"
[landscape]
variables = ["x", "y"]
loss = "exp(-y/100) + 1 + if(x > 0, x*(x - 1.6*y/(y+30))/(0.64*((y+20)/(y+30))^2), x*(x + 1.3*y/(y+30))/(0.4225*((y+20)/(y+30))^2))"
kinks = [{ axis = 0, position = 0.0 }]
[noise]
model = "hessian_power"
[region]
domain = [[-1.1, 1.3], [0.0, 25.0]]
"#;

#[test]
fn a_formula_of_the_two_valley_model_freezes_as_the_model_does() {
    let tail = "[sgd]\nlearning_rate = 0.01\nbatch_size = 5.0\n[freezing]\nslow = \"y\"\nstart = 1.0\nend = 20.0\nstart_x = [-0.01, 0.01]\nruns = 1500\n";
    let found = FreezingResult::of(&run(&format!("{HEAD}{tail}"))).unwrap();
    // flat is the first in the order of appearance or the second: the larger one
    let flat = usize::from(found.p_final[1] > found.p_final[0]);
    assert!((found.p_final[flat] - 0.9609).abs() < 1e-4, "{:?}", found.p_final);
    assert!((found.p_final_density[flat] - 0.9607).abs() < 1e-4 + found.p_final_density_error);
    assert!((found.freezing_position - 4.339).abs() < 1e-3 + found.freezing_position_error);
    assert!(found.regime[0].starts_with("adiabatic"), "{:?}", found.regime);
    // the transfer operator of SGD at this learning rate ends at .952 (-.0086 of the limit)
    let sgd = found.sgd.unwrap();
    let off = sgd.p_final_sgd[flat] - 0.9521;
    assert!(off.abs() < 4.0 * sgd.p_final_sgd_standard_error[flat], "{off}");
    // control: that is not the isotropic law
    assert!((sgd.p_final_sgd[flat] - 0.5517).abs() > 0.1);
}

#[test]
fn what_cannot_be_followed_is_refused_with_its_key() {
    let task = "[freezing]\nstart = 1.0\nend = 20.0\nstart_x = [0.01]\n";
    let text = |extra: &str| format!("{HEAD}[sgd]\nnoise_strength = 1e-3\n{task}{extra}\n");
    for (extra, names) in [
        ("slow = \"x\"", "freezing.slow"),
        ("velocity = \"1 + x\"", "freezing.velocity"),
        ("velocity = \"1 +\"", "freezing.velocity"),
        ("schedule = [[30.0, 0.1]]", "freezing.schedule"),
        ("schedule = [[3.0, -0.1]]", "freezing.schedule"),
        ("snapshots = [5.0, 2.0]", "freezing.snapshots"),
        ("points = 1", "freezing.points"),
        ("runs = 1", "freezing.runs"),
        ("shalowest = 2.0", "shallowest"),
        (
            "clock = { file = \"nowhere.h5\", position = \"s\", time = \"t\" }",
            "cannot read nowhere.h5",
        ),
        (
            "clock = { position = [1.0, 2.0, 3.0, 4.0], time = [0.0, 1.0, 2.0, 3.0] }",
            "freezing.clock",
        ),
        (
            "clock = { position = [1.0, 9.0, 12.0, 21.0], time = [0.0, 2.0, 1.0, 3.0] }",
            "freezing.clock: time must ascend",
        ),
    ] {
        let message = refused(&text(extra));
        assert!(message.contains(names), "{extra}: {message}");
    }
    let message = refused(&text("").replace("end = 20.0", "end = 30.0"));
    assert!(
        message.contains("freezing.end") && message.contains("25"),
        "{message}"
    );
    let message = refused(&text("").replace("start_x = [0.01]", "start_x = [3.0]"));
    assert!(message.contains("freezing.start_x"), "{message}");
}
