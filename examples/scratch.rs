#![allow(missing_docs, clippy::all)]
use freezeout::network::*;
use freezeout::statistics::variance;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
fn rnd(s: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(s)
}
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
fn sub(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
fn main() {
    let args: Vec<f64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let (eta, b) = (args[0], args[1] as usize);
    let (tr, te) = split(&Images::digits().unwrap(), 50, 100).unwrap();
    let net = Perceptron::new(&[64, 30, 30, 10]).unwrap();
    let start = net.initial_state(&mut rnd(1));
    let time = 100.0;
    let steps = (time / eta) as u64;
    let tra = |steps: u64, ck: usize| Training {
        learning_rate: eta,
        batch_size: b,
        momentum: 0.0,
        replacement: true,
        steps,
        checkpoints: ck,
    };
    let mut l = CrossEntropy::new(&net, &tr).unwrap();
    let mut lt = CrossEntropy::new(&net, &te).unwrap();
    let t0 = std::time::Instant::now();
    let run = train(&mut l, &start, &tra(steps, 101), &mut rnd(2)).unwrap();
    println!("train {:?}", t0.elapsed());
    let end = |k: usize, theta: &[f64], l: &mut CrossEntropy, lt: &mut CrossEntropy| {
        gradient_descent(
            theta,
            &Continuation {
                learning_rate: eta,
                budget: ((time - k as f64) / eta) as u64,
            },
            l,
            lt,
        )
    };
    let eb = end(100, &run.checkpoints[100], &mut l, &mut lt);
    let wrong = |e: &EndPoint| -> Vec<bool> {
        e.test
            .predictions
            .iter()
            .zip(te.labels())
            .map(|(a, b)| a != b)
            .collect()
    };
    for k in [2, 5, 10, 20, 40] {
        let t0 = std::time::Instant::now();
        let ea = end(k, &run.checkpoints[k], &mut l, &mut lt);
        let dt = t0.elapsed();
        let d = sub(&eb.theta, &ea.theta);
        let len = dot(&d, &d).sqrt();
        let u: Vec<f64> = d.iter().map(|v| v / len).collect();
        println!(
            "\nk {k} descent {dt:?} steps {} L(theta) {:.4} L(A) {:.4} L(B) {:.5} dist {len:.3} |theta-A| {:.3} J(A,B) {:.3} xi(theta) {:.3}",
            ea.steps,
            l.evaluate(&run.checkpoints[k]).loss,
            ea.train.loss,
            eb.train.loss,
            {
                let q = sub(&run.checkpoints[k], &ea.theta);
                dot(&q, &q).sqrt()
            },
            jaccard(&wrong(&ea), &wrong(&eb)),
            dot(&sub(&run.checkpoints[k], &ea.theta), &u) / len
        );
        for (name, origin) in [("ends", &ea.theta), ("ckpt", &run.checkpoints[k])] {
            println!(" {name}: xi loss slope curv C_uu D share resid");
            for j in -4..=16 {
                let xi = j as f64 * 0.125;
                let th: Vec<f64> = origin.iter().zip(&u).map(|(o, u)| o + xi * len * u).collect();
                let mut lin = l.linearise(&th);
                let g = lin.gradient().to_vec();
                let mut im = vec![0.0; g.len()];
                lin.hessian_product(&u, 0, &mut im);
                let c = variance(&lin.sample_gradients(&u)).unwrap().value;
                let tr = lin.noise_trace();
                let s = dot(&g, &u);
                println!(
                    "  {xi:6.3} {:.5} {:9.5} {:9.5} {:.3e} {:.3e} {:.4} {:.4}",
                    l.evaluate(&th).loss,
                    s,
                    dot(&im, &u),
                    c,
                    eta / (2.0 * b as f64) * c,
                    c / tr,
                    (dot(&g, &g) - s * s).sqrt()
                );
            }
        }
        let t0 = std::time::Instant::now();
        let rows: Vec<String> = (0..16u64)
            .into_par_iter()
            .map(|r| {
                let mut l = CrossEntropy::new(&net, &tr).unwrap();
                let mut lt = CrossEntropy::new(&net, &te).unwrap();
                let left = steps - (k as f64 / eta) as u64;
                let horizon = (20.0 / eta) as u64;
                let horizon = horizon.min(left);
                let run = train(&mut l, &run.checkpoints[k], &tra(horizon, 6), &mut rnd(100 + r)).unwrap();
                let mut s = String::new();
                for j in [1, 2, 3, 5] {
                    let e = end(k, &run.checkpoints[j], &mut l, &mut lt);
                    let q = sub(&e.theta, &ea.theta);
                    let xi = dot(&q, &u) / len;
                    s += &format!(
                        " [{:.2} |{:.2}| J {:.2}]",
                        xi,
                        dot(&q, &q).sqrt() / len,
                        jaccard(&wrong(&e), &wrong(&ea))
                    );
                }
                s
            })
            .collect();
        println!("restarts at ηt +4 +8 +12 +20 ({:?})", t0.elapsed());
        for r in rows {
            println!("{r}");
        }
    }
}
