//! What a configuration can name, with keys, units and defaults.

/// The text of `freezeout list`.
pub fn catalogue() -> String {
    CATALOGUE.trim_start().into()
}

const CATALOGUE: &str = r#"
Every quantity is dimensionless; time = learning_rate * iterations; noise strength Delta = learning_rate * sigma.
A series is a number, a list, or { from, to, points, scale = "log" | "linear" }.

TOP LEVEL
  name                 required          name of the experiment and of its result file
  seed                 20260110          seed of all random streams

[landscape]            the loss
  model                "two_valley"      flat valley at x > 0, sharp one at x < 0, slow direction y
  f0, x0, x1, x2       1, 1, 0.8, 0.65   flatness scale, width scale, positions of the flat and the sharp minimum
  y_f, y_b, y_d, l_d   20, 30, 100, 1    lengths of the barrier, the widths and the driving loss; its amplitude
  barrier_at           none              ablation: hold the barrier at its value at this y
  flatness_at          none              ablation: hold the flatness at its value at this y

[noise]                gradient noise of SGD
  model                "hessian_power"   C/B = 2 sigma H_+^power + floor I   (or "isotropic": 2 sigma curvature I)
  power                1                 p = 1 Hessian-aligned, p = 2 random shift, any p >= 0
  floor                1e-8              keeps C positive where curvature vanishes
  curvature            1                 of the isotropic noise

TASKS, one group of the result file each

[phase_diagram]        SGD ensembles over learning rate (rows) and sigma (columns) -> /phase_diagram
  learning_rate, sigma series 0.01..0.1  10 log-spaced values each
  runs, steps          2000, 20000       runs per cell, iterations per run
  start_x, start_y     [-0.01, 0.01], 5  starting points, taken in turn
  hold_y               false             control: no slow motion
  ramp                 1                 factor on the slow drift

[freezing_line]        SGD ensembles from early training to the end -> /freezing_line
  learning_rate        0.01
  sigma                series            11 values from 0.005 to 0.2
  runs, steps          500, 100000
  start_x, start_y     [-0.01, 0.01], 1
  records              200               moments of the run that are recorded
  ramp                 1

[freezing_theory]      two-state master equation with exact slice rates -> /freezing_theory
  noise_strength       series            11 values from 5e-5 to 2e-3
  start_y              1                 0 starts in the stationary state where the barrier vanishes
  start_p_flat         0.5
  end_y                400
  nodes                40                slices at which the rates are computed
  ramp                 1

[slices]               hop times, odds and gap at fixed y by independent routes -> /slices
  y, noise_strength    paired lists
  walkers              65536             Langevin walkers per slice, 0 for none
  time_step            0.01              coarser of two steps, in relaxation times of the sharp valley
  longest_time         30                in mean first-passage times; later escapes are censored

[final_probability]    final P_flat and freezing position by the density routes -> /final_probability, /density_path
  noise_strength       series            1e-4, 3e-4, 1e-3, 3e-3
  learning_rate        0.01              of the transfer operator of the SGD map
  start_y, end_y       1, 400
  planar               false             also the Fokker-Planck equation in the plane, the slowest route

[stationary_map]       stationary P_flat at fixed y, and the freezing line -> /stationary_map
  y, noise_strength    series            48 values to 12; 41 log-spaced values from 1e-5 to 3e-3

[ablations]            discrete SGD with one ingredient changed at a time -> /ablations
  noise_strength       series            1e-4, 2e-4, 5e-4, 1e-3
  learning_rate        0.01
  runs, steps          1000, 50000
  start_x, start_y     [-0.01, 0.01], 1  barrier and flatness are held at their values at start_y

[surface]              the loss in the plane -> /landscape
  x, y                 series            121 values from -0.9 to 1.1; 101 values from 0 to 100

[trajectories]         single runs of discrete SGD -> /trajectories
  learning_rate, sigma 0.01, 0.05
  runs, steps          4, 40000
  record_every         20
  start_x, start_y     [-0.01, 0.01], 1

[escape]               escape in a landscape of one's own, one or two variables, independent of [landscape] and [noise] -> /escape
  loss                 formula           + - * / ^, sqrt exp ln sin cos tan sinh cosh tanh atan abs, min max, if(a > b, u, v), pi
  model                none              instead of loss: "mueller_brown" (two variables)
  parameters           {}                named numbers in formulas, { barrier = 0.25 }
  variables            ["x"]             one or two names
  noise                required          the tensor D of d theta = -grad L dt + sqrt(2 D) dW (Ito), one of
                                         { model = "isotropic", strength }, { model = "constant", tensor = [[..]] },
                                         { model = "hessian_power", power, strength, floor }: strength H_+^power + floor I,
                                         { model = "expression", tensor = [["..", ".."], ["..", ".."]] }
  domain, cells        required          [[lower, upper], ..], reflecting; cells of the coarsest of three grids, [400]
  sublevel             none              keep only the cells whose loss is below this; reflecting, first order
  kinks                []                { axis, position } where a derivative of the loss or D jumps
  start, target        required          { ball = { centre, radius } } (radius 0: a point, start only),
                                         { half_space = { normal, offset } }: normal.theta > offset,
                                         { box = { lower, upper } }, { expression = "x^2 + y > 1" }

[[sweep]]              repeat all tasks over this parameter; at most two such sections, records stacked along them
  parameter            required          dotted key, for example "noise.power" or "landscape.flatness_at"
  values               required          a list, or { from, to, points, scale = "log" | "linear" }

[effective_potential]  loss and effective potential on slices -> /effective_potential
  y                    series            5, 40
  noise_strength       0.001
  cells                800
  domain               fitted            ends of the x axis; refused when it cuts off more than 1e-6 of the probability
"#;
