//! `[network]`: runs that freeze, claims with their negative controls, and input that is refused.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::judgement::claims::{self, Verdict};
use freezeout::output::{Attribute, Records, ResultFile, WARNING, as_one_run};
use freezeout::questions::network::NetworkResult;
use freezeout::run::{parse, with_images};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

const HEAD: &str = "name = \"networks\"\n[network]\n";
const SMALL: &str = r#"
hidden = [20, 20]
train = 10
test = 50
learning_rate = [0.05, 0.2]
batch_size = [5, 25]
repeats = 4
time = 80.0
checkpoints = 21
scan_every = 2
"#;

fn small() -> &'static ResultFile {
    static FILE: OnceLock<ResultFile> = OnceLock::new();
    FILE.get_or_init(|| run(&format!("{HEAD}{SMALL}")))
}

fn verdicts(result: &NetworkResult) -> BTreeMap<&'static str, Verdict> {
    let mut file = ResultFile::new();
    file.push(result.group().unwrap()).unwrap();
    let all = claims::claims(&file, &parse(&format!("{HEAD}{SMALL}")).unwrap()).unwrap();
    assert!(all.iter().all(|claim| !claim.reason.is_empty()));
    let table = claims::table(&all, 100);
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    all.iter().map(|claim| (claim.name, claim.verdict)).collect()
}

#[test]
fn runs_freeze_later_with_more_noise() {
    use Verdict::{NotSupported, NotTested, Reproduced};
    let result = NetworkResult::of(small()).unwrap();
    assert_eq!(result.converged_runs, [4; 4]);
    assert_eq!(
        (result.training_images, result.test_images, result.parameters),
        (100, 500, 1930)
    );
    let found = verdicts(&result);
    for name in ["N2", "N7"] {
        assert_eq!(found[name], Reproduced, "{name}: {found:?}");
    }
    // with the least noise most runs lead to their basin from the start
    assert_eq!(found["N1"], Verdict::InRegime);
    // all repeats start at the same state, and the last checkpoint is its own end point
    for run in 0..16 {
        assert_eq!(result.of_run(&result.train_loss, run)[0], result.train_loss[0]);
        let ends = |record: &[f64]| *result.of_run(record, run).last().unwrap();
        assert_eq!(
            (
                ends(&result.continued.similarity),
                ends(&result.continued.barrier)
            ),
            (1.0, 0.0)
        );
        assert_eq!(
            ends(&result.continued.end_flatness),
            ends(&result.continued.flatness)
        );
        assert_eq!(ends(&result.continued.end_test_loss), ends(&result.test_loss));
    }
    // resolutions: one image of those that either misclassifies, one test image, one checkpoint
    let c = &result.continued;
    for ((similarity, resolution), misclassified) in
        (c.similarity.iter().zip(&c.similarity_resolution)).zip(&c.misclassified)
    {
        assert_eq!(*resolution, 1.0 / misclassified);
        let images = similarity / resolution;
        assert!((images - images.round()).abs() < 1e-9, "{images}");
    }
    assert_eq!(result.agreement_resolution, 1.0 / 500.0);
    // eigenvalues at checkpoints and end points are as exact as was asked
    for residual in c.residual.iter().chain(&c.end_residual) {
        assert!((0.0..=1e-6).contains(residual), "{residual}");
    }
    assert!(c.stability_residual.iter().all(|r| (0.0..=1e-3).contains(r)));
    assert!(c.end_residual != c.residual && c.stability_residual.iter().any(|r| *r > 0.0));
    for agreement in &c.agreement {
        let images = agreement / result.agreement_resolution;
        assert!((images - images.round()).abs() < 1e-9, "{images}");
    }
    for (run, resolution) in result.low_loss_time_resolution.iter().enumerate() {
        assert!((resolution - 4.0).abs() < 1e-12, "{resolution}");
        let low = (result.low_loss_time[run] / 4.0).round() as usize;
        let loss = result.of_run(&result.train_loss, run);
        assert!(loss[low] <= 0.1 && loss[low - 1] > 0.1);
    }
    // what the nine states of the line may miss is a small part of a barrier that is there
    for (height, resolution) in c.barrier.iter().zip(&c.barrier_resolution) {
        assert!(
            *height == 0.0 || *resolution < 0.2 * height,
            "{height} {resolution}"
        );
    }
    // nothing is said about fewer than ten runs
    let mut few = result.clone();
    few.converged[..8].fill(0);
    assert!(verdicts(&few).values().all(|verdict| *verdict == NotTested));
    // without converged runs at an eta/B there are too few of them
    let mut two = result.clone();
    two.learning_rate = vec![0.2, 0.2];
    assert_eq!(
        (verdicts(&two)["N2"], verdicts(&two)["N4"]),
        (NotTested, NotTested)
    );
    // the order of the settings turned round: most noise has frozen first
    let mut turned = result;
    turned.learning_rate = vec![0.05, 0.0005];
    let found = verdicts(&turned);
    assert_eq!(found["N2"], NotSupported);
    assert_ne!(found["N4"], Reproduced);
}

/// With the checkpoints of every run in another order nothing is left of exploration and selection, also of a selection put in by hand.
#[test]
fn shuffled_checkpoints_turn_the_claims_about_time() {
    let mut result = NetworkResult::of(small()).unwrap();
    let points = result.continuation_time.len();
    for (k, (flatness, loss)) in (result.continued.end_flatness.iter_mut())
        .zip(&mut result.continued.end_test_loss)
        .enumerate()
    {
        let place = (k % points) as f64;
        (*flatness, *loss) = (1.0 + place, 1.0 - 0.01 * place);
    }
    let found = verdicts(&result);
    assert_eq!(
        (found["N1"], found["N3"]),
        (Verdict::InRegime, Verdict::Reproduced)
    );
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let (before, runs) = (result.clone(), result.converged.len());
    for run in 0..runs {
        let mut order: Vec<usize> = (0..points).collect();
        order.shuffle(&mut random);
        let c = &mut result.continued;
        for (to, from) in [
            (&mut c.similarity, &before.continued.similarity),
            (&mut c.end_flatness, &before.continued.end_flatness),
            (&mut c.end_test_loss, &before.continued.end_test_loss),
        ] {
            for (place, k) in order.iter().enumerate() {
                to[run * points + place] = from[run * points + k];
            }
        }
    }
    let found = verdicts(&result);
    assert_eq!(
        (found["N1"], found["N3"]),
        (Verdict::NotSupported, Verdict::NotSupported)
    );
}

/// Test accuracies that follow the noise are seen, and among runs in another order nothing follows it.
#[test]
fn shuffled_runs_turn_the_claims_about_the_noise() {
    let mut result = NetworkResult::of(small()).unwrap();
    let (times, points) = (result.time.len(), result.continuation_time.len());
    for run in 0..result.converged.len() {
        let (rate, batch) = result.setting_of(run);
        result.test_accuracy[(run + 1) * times - 1] = 0.5 + rate / batch;
    }
    assert_eq!(verdicts(&result)["N4"], Verdict::Reproduced);
    let mut order: Vec<usize> = (0..result.converged.len()).collect();
    order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(3));
    let before = result.clone();
    for (to, from) in order.into_iter().enumerate() {
        result.freezing_time[to] = before.freezing_time[from];
        result.distance[to] = before.distance[from];
        result.test_accuracy[(to + 1) * times - 1] = before.test_accuracy[(from + 1) * times - 1];
        result.continued.end_flatness[(to + 1) * points - 1] =
            before.continued.end_flatness[(from + 1) * points - 1];
    }
    let found = verdicts(&result);
    assert_eq!(
        (found["N2"], found["N4"]),
        (Verdict::NotSupported, Verdict::NotSupported)
    );
}

/// A network that learns labels by heart misclassifies nearly all test images from the beginning to the end: no basin can be told from another, and nothing improves.
#[test]
fn shuffled_labels_turn_exploration_and_selection() {
    let keys = SMALL
        .replace("[0.05, 0.2]", "[0.02, 0.05]")
        .replace("[5, 25]", "[10, 50]")
        .replace("train = 10", "train = 5");
    let result = NetworkResult::of(&run(&format!("{HEAD}shuffle_labels = true{keys}"))).unwrap();
    assert!(
        result.converged_numbers().len() >= 10,
        "{:?}",
        result.converged_runs
    );
    let accuracy = result.test_accuracy.iter().fold(0.0_f64, |most, a| most.max(*a));
    assert!(accuracy < 0.25, "{accuracy}");
    let found = verdicts(&result);
    for name in ["N1", "N2", "N5"] {
        assert_eq!(found[name], Verdict::NotSupported, "{name}: {found:?}");
    }
    // all runs are in their basin from the start, and accuracies at chance say nothing about generalisation, whatever they follow
    assert!(result.freezing_time.iter().all(|t| *t == 0.0));
    for name in ["N3", "N4"] {
        assert_eq!(found[name], Verdict::NotTested, "{name}: {found:?}");
    }
    // the noise is about training images only
    assert_eq!(found["N7"], Verdict::Reproduced);
    // it is their level that does it, not their order
    let mut lifted = result;
    for accuracy in &mut lifted.test_accuracy {
        *accuracy += 0.5;
    }
    assert_ne!(verdicts(&lifted)["N4"], Verdict::NotTested);
}

/// A similarity that tells how near the flatness is at any loss is seen; that of other checkpoints, of whatever loss, tells nothing.
#[test]
fn similarities_of_other_checkpoints_turn_the_claim_about_the_basin() {
    let mut result = NetworkResult::of(small()).unwrap();
    let points = result.continuation_time.len();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(6);
    // what the similarity has is spread over all losses, and flatness follows it
    result.continued.similarity.shuffle(&mut random);
    for run in 0..result.converged.len() {
        let last = result.continued.end_flatness[(run + 1) * points - 1];
        for k in 0..points - 1 {
            let entry = run * points + k;
            result.continued.end_flatness[entry] = last * (1.0 - result.continued.similarity[entry]).exp();
        }
    }
    assert_eq!(verdicts(&result)["N6"], Verdict::Reproduced);
    result.continued.similarity.shuffle(&mut random);
    assert_eq!(verdicts(&result)["N6"], Verdict::NotSupported);
}

/// Noise that does not follow the curvature.
#[test]
fn another_exponent_turns_the_claim_about_noise() {
    let mut result = NetworkResult::of(small()).unwrap();
    result.continued.noise_exponent.iter_mut().for_each(|g| *g -= 1.1);
    assert_eq!(verdicts(&result)["N7"], Verdict::NotSupported);
}

#[test]
fn a_definition_of_freezing_at_random_turns_the_claim_about_definitions() {
    let mut result = NetworkResult::of(small()).unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
    result.agreement_time.shuffle(&mut random);
    result.low_loss_time.shuffle(&mut random);
    assert_eq!(verdicts(&result)["N5"], Verdict::NotSupported);
}

#[test]
fn files_are_the_same_on_any_number_of_threads() {
    let keys = "hidden = [10, 10]\ntrain = 4\ntest = 5\nlearning_rate = [0.1]\nbatch_size = [5, 20]\nrepeats = 2\ntime = 20.0\ncheckpoints = 5\nscan_every = 1\n";
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let file = pool.install(|| run(&format!("{HEAD}{keys}")));
        file.group("network")
            .unwrap()
            .records()
            .iter()
            .map(|r| (r.name().to_string(), r.values().clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(on(1), on(3));
}

const RATES: &str = "[[sweep]]\nparameter = \"network.learning_rate\"\nvalues = [0.05, 0.2]\n";
const BATCHES: &str = "[[sweep]]\nparameter = \"network.batch_size\"\nvalues = [5, 25]\n";

/// The settings of `SMALL` as a sweep.
fn swept(head: &str, sweeps: &[&str]) -> String {
    let keys = SMALL
        .replace("learning_rate = [0.05, 0.2]\n", "")
        .replace("batch_size = [5, 25]\n", "");
    format!("{head}{HEAD}{keys}{}", sweeps.concat())
}

/// Settings may be cells of a sweep, in either order: same records, same claims, same figures.
#[test]
fn a_sweep_over_the_settings_is_one_run() {
    let whole = small();
    for sweeps in [[RATES, BATCHES], [BATCHES, RATES]] {
        let sweep = run(&swept("shared_seed = true\n", &sweeps));
        let joined = as_one_run(&sweep).unwrap().unwrap();
        assert_eq!(joined.group("network"), whole.group("network"));
        assert!(sweep.group("claims").is_some());
        assert_eq!(sweep.group("claims"), whole.group("claims"));
        let figures = freezeout::config::figures::of_file(&sweep).unwrap();
        for name in ["sweep_network", "network_maps", "network_continuation"] {
            assert!(
                figures.iter().any(|f| f.name == name && f.figure.is_ok()),
                "{name}"
            );
        }
        // a cell is what a run of it alone gives, without the claims about all
        let cell = freezeout::output::cells(&sweep).unwrap().cell(3).unwrap();
        assert!(cell.group("claims").is_none());
        assert_eq!(NetworkResult::of(&cell).unwrap().learning_rate, [0.2]);
    }
    // one key swept, the other a list
    let keys = SMALL.replace("learning_rate = [0.05, 0.2]\n", "");
    let sweep = run(&format!("shared_seed = true\n{HEAD}{keys}{RATES}"));
    assert_eq!(sweep.group("claims"), whole.group("claims"));
    // with seeds and initial states of their own, the runs of different cells are not compared
    let sweep = run(&swept("", &[RATES, BATCHES]));
    let joined = as_one_run(&sweep).unwrap().unwrap();
    assert_ne!(joined.group("network"), whole.group("network"));
    let found = verdicts(&NetworkResult::of(&joined).unwrap());
    assert!(
        found.values().all(|verdict| *verdict == Verdict::NotTested),
        "{found:?}"
    );
    // a key that is no coordinate of the task: cells are not one run
    let momentum = "[[sweep]]\nparameter = \"network.momentum\"\nvalues = [0.0, 0.5]\n";
    let few = SMALL
        .replace("[0.05, 0.2]", "0.2")
        .replace("[5, 25]", "25")
        .replace("time = 80.0", "time = 20.0");
    let sweep = run(&format!("{HEAD}{few}{momentum}"));
    assert!(as_one_run(&sweep).unwrap().is_none() && sweep.group("claims").is_none());
}

/// Shards of the settings, merged, have the bytes of one run of the sweep.
#[cfg(feature = "cli")]
#[test]
fn shards_of_the_settings_merge_to_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = swept("shared_seed = true\n", &[RATES, BATCHES]).replace("time = 80.0", "time = 40.0");
    fs::write(folder.join("c.toml"), text).unwrap();
    let done = |arguments: &[&str]| {
        let output = common::command::freezeout(folder, arguments);
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.success(), "{arguments:?}: {message}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = done(&["run", "c.toml", "-o", "whole.h5"]);
    for shard in ["1/2", "2/2"] {
        let file = format!("{}.h5", &shard[..1]);
        done(&["run", "c.toml", "--quiet", "--shard", shard, "-o", &file]);
    }
    let merged = done(&["merge", "2.h5", "1.h5", "-o", "merged.h5"]);
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(bytes("whole.h5") == bytes("merged.h5"));
    for text in [told, merged] {
        assert!(
            text.contains("Claims of arXiv 2601.10962") && text.contains("N7"),
            "{text}"
        );
    }
    let drawn = done(&[
        "figures",
        "merged.h5",
        "--only",
        "network_maps",
        "--format",
        "svg",
    ]);
    assert!(drawn.contains("network_maps.svg"), "{drawn}");
}

/// Of a grid in which some settings diverge, those settings are missing and the others stand, whether they are lists or cells of a sweep.
#[test]
fn a_setting_that_diverges_is_marked() {
    let keys = "hidden = [10, 10]\ntrain = 4\ntest = 5\nlearning_rate = [0.1, 1e4]\nbatch_size = [10]\nrepeats = 2\ntime = 1e6\n";
    // too many iterations, and more than anybody would wait for
    let with = |rate: &str| refused(&format!("{HEAD}{}", keys.replace("0.1", rate)));
    assert!(with("1e-4").contains("iterations"), "{}", with("1e-4"));
    assert!(with("1e-9").contains("ten years"), "{}", with("1e-9"));
    let keys = keys
        .replace("time = 1e6", "time = 3000.0")
        .replace("1e4", "300.0");
    let keys = format!("{keys}checkpoints = 11\nscan_every = 5\n");
    let file = run(&format!("{HEAD}{keys}"));
    let result = NetworkResult::of(&file).unwrap();
    assert_eq!(result.converged_runs, [2, 0]);
    assert!(result.diverged_at[..2].iter().all(|step| step.is_nan()));
    assert!(
        result.diverged_at[2..]
            .iter()
            .all(|step| (1.0..=10.0).contains(step)),
        "{:?}",
        result.diverged_at
    );
    assert!(result.spread[0].is_finite() && result.spread[1].is_nan());
    assert!(result.freezing_time[2..].iter().all(|t| t.is_nan()));
    let warning = |file: &ResultFile| match &file.group("network").unwrap().attributes()[WARNING] {
        Attribute::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let said = warning(&file);
    assert!(
        said.starts_with("training diverged in 2 of 4 runs, first at iteration "),
        "{said}"
    );
    // the cell in which every run diverges is one of the sweep like any other
    let keys = keys.replace("learning_rate = [0.1, 300.0]\n", "");
    let rates = RATES.replace("[0.05, 0.2]", "[0.1, 300.0]");
    let sweep = run(&format!("shared_seed = true\n{HEAD}{keys}{rates}"));
    let joined = NetworkResult::of(&as_one_run(&sweep).unwrap().unwrap()).unwrap();
    assert_eq!(joined.group().unwrap(), result.group().unwrap());
    let said = warning(&sweep);
    assert!(
        said.starts_with("in 1 of 2 cells; the first: training diverged in 2 of 2 runs, first at iteration "),
        "{said}"
    );
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    for (keys, wanted) in [
        ("train = 0", "network.train: 0 is not allowed"),
        ("train = 200", "network.train: class"),
        ("batch_size = [501]", "network.batch_size: 501 is not allowed"),
        ("batch_size = [2.5]", "network.batch_size: 2.5 is not allowed"),
        (
            "learning_rate = [-0.1]",
            "network.learning_rate: -0.1 is not allowed",
        ),
        ("time = 0.0", "network.time: 0 is not allowed"),
        ("hidden = []", "network.hidden: 1 to 20 hidden layers"),
        ("hidden = [0]", "network.hidden: 1 to 20 hidden layers"),
        ("momentum = 1.0", "network.momentum: 1 is not allowed"),
        ("scan_every = 7", "network.scan_every: 7 is not allowed"),
        ("refine_every = 11", "network.refine_every: 11 is not allowed"),
        ("directions = 901", "network.directions: 901 is not allowed"),
        ("checkpoints = 1", "network.checkpoints: 1 is not allowed"),
        (
            "data = \"nowhere\"",
            "cannot read nowhere/train-images-idx3-ubyte.gz",
        ),
    ] {
        let message = refused(&format!("{HEAD}{keys}\n"));
        assert!(message.contains(wanted), "{keys}: {message}");
    }
}

/// An IDX file.
fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let lengths = shape.iter().flat_map(|n| n.to_be_bytes());
    [
        &[0, 0, 8, shape.len() as u8][..],
        &lengths.collect::<Vec<u8>>(),
        bytes,
    ]
    .concat()
}

/// A folder with one image of 2 x 2 pixels for training and one for testing of each class.
fn folder(path: &Path, set: &str) {
    let labels: Vec<u8> = (0..20).map(|k| k % 10).collect();
    let pixels: Vec<u8> = (0..80_u32).map(|k| (k * 37 % 256) as u8).collect();
    fs::write(
        path.join(format!("{set}-images-idx3-ubyte")),
        idx(&[20, 2, 2], &pixels),
    )
    .unwrap();
    fs::write(path.join(format!("{set}-labels-idx1-ubyte")), idx(&[20], &labels)).unwrap();
}

#[test]
fn the_folder_of_the_images_may_be_named_beside_a_configuration() {
    let text = "name = \"n\"\n[network]\ndata = \"nowhere\"\ntrain = 1\n[network_escape]\ntrain = 2\n";
    let changed: toml::Table = with_images(text, "elsewhere").unwrap().parse().unwrap();
    for (task, train) in [("network", 1), ("network_escape", 2)] {
        assert_eq!(changed[task]["data"].as_str(), Some("elsewhere"));
        assert_eq!(changed[task]["train"].as_integer(), Some(train));
    }
    let message = with_images("name = \"n\"\n[escape]\n", "elsewhere")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("no task of this configuration takes images"),
        "{message}"
    );
}

#[test]
fn damaged_data_are_refused_in_one_line() {
    let keys = |path: &Path| {
        format!(
            "{HEAD}data = {:?}\ntrain = 1\ntest = 1\nbatch_size = [2]\nlearning_rate = [0.1]\nrepeats = 1\nhidden = [4, 4]\ndirections = 10\ntime = 10.0\n",
            path.to_str().unwrap()
        )
    };
    let labels = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = idx(&[20], &(0..20).map(|k| k % 10).collect::<Vec<u8>>());
        change(&mut bytes);
        bytes
    };
    for (name, bytes, wanted) in [
        (
            "labels-idx1",
            labels(&|b| b.truncate(20)),
            "12 bytes follow the shape [20], which needs 20: the file is truncated or damaged",
        ),
        (
            "labels-idx1",
            labels(&|b| b[3] = 3),
            "the magic number is 0x00000803 where 0x00000801 is needed",
        ),
        (
            "labels-idx1",
            labels(&|b| b[13] = 10),
            "label 10 of image 5 is out of range: 0 to 9 are allowed",
        ),
        (
            "labels-idx1",
            idx(&[2], &[0, 1]),
            "it holds 2 labels for 20 images",
        ),
        (
            "labels-idx1",
            vec![0x1f, 0x8b, 0, 0],
            "the gzip stream is damaged",
        ),
        ("images-idx3", Vec::new(), "it is too short for an IDX file"),
        ("images-idx3", idx(&[20, 0, 2], &[]), "there are no images"),
    ] {
        let place = tempfile::tempdir().unwrap();
        folder(place.path(), "t10k");
        fs::write(place.path().join(format!("t10k-{name}-ubyte")), bytes).unwrap();
        let message = refused(&keys(place.path()));
        assert!(message.contains(wanted), "{message}");
        assert_eq!(message.lines().count(), 1);
        assert!(
            message.starts_with(&format!("cannot read {}", place.path().display())),
            "{message}"
        );
    }
    let place = tempfile::tempdir().unwrap();
    folder(place.path(), "t10k");
    let text = keys(place.path());
    let result = NetworkResult::of(&run(&text)).unwrap();
    assert_eq!(
        (result.training_images, result.parameters),
        (10, 4 * 4 + 4 + 4 * 4 + 4 + 4 * 10 + 10)
    );
    // with both sets the second is for testing
    folder(place.path(), "train");
    assert!(refused(&text.replace("train = 1", "train = 3")).contains("class 0 has 2 images, 3 are needed"));
    run(&text.replace("train = 1", "train = 2"));
    // of another number of pixels
    let larger: Vec<u8> = (0..180_u32).map(|k| (k * 37 % 256) as u8).collect();
    fs::write(
        place.path().join("t10k-images-idx3-ubyte"),
        idx(&[20, 3, 3], &larger),
    )
    .unwrap();
    assert!(refused(&text).contains("network.data: training and test images have different sizes"));
}

/// A result without a run that stands is one all the same, and says so.
#[cfg(feature = "cli")]
#[test]
fn training_that_diverges_everywhere_says_at_which_iteration() {
    let keys = "hidden = [10, 10]\ntrain = 4\ntest = 5\nlearning_rate = [1e5]\nbatch_size = [10]\nrepeats = 2\ntime = 2e7\ncheckpoints = 11\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), format!("{HEAD}{keys}")).unwrap();
    let output = common::command::freezeout(folder.path(), &["run", "c.toml", "-o", "c.h5"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{message}");
    assert!(
        message.contains("warning: network: training diverged in 2 of 2 runs, first at iteration "),
        "{message}"
    );
    assert!(folder.path().join("c.h5").exists());
}
