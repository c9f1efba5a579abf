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

[escape]               a landscape and a noise of one's own, one or two variables -> /escape
  the equation d theta = b dt + sqrt(2 D) dW; numbers extrapolated from three grids, each with NAME_error and NAME_order
  variables            ["x"]             one or two names
  parameters           {}                named numbers in formulas, { barrier = 0.25 }
  one of three:
  loss                 formula           b = -grad L; + - * / ^, sqrt exp ln sin cos tan sinh cosh tanh atan abs, min max, if(a > b, u, v), pi
  landscape            { model = .. }    see LANDSCAPES
  drift                ["..", ".."]      b itself, one formula a variable; need not be a gradient
  noise                { model = .. }    D itself, or the gradient covariance C of one sample when learning_rate is given; see NOISES
  learning_rate        none              then D = learning_rate/(2 batch_size) C
  batch_size           1
  calculus             "ito"             or "stratonovich", "anti_ito": adds alpha div D to the drift, alpha = 1/2, 1
  domain, cells        required          [[lower, upper], ..]; cells of the coarsest of three grids, [400]
  concentrate          []                { axis, at, width, factor }: cells factor times smaller around a place
  boundaries           reflecting        [["reflecting", "absorbing"], ["periodic", "periodic"]], lower and upper end of each axis
  sublevel             none              keep only the cells whose loss is below this
  sublevel_boundary    "reflecting"      or "absorbing"
  reach                8                 longest jump in cells, for tensors that are not diagonal
  kinks                []                { axis, position } where a derivative of the loss or D jumps; built-in models know theirs
  start                required          see SETS
  target               see SETS          not needed when an end absorbs
  slow_modes           1                 how many relaxation modes
  first_passage_times  []                times at which the distribution of the first-passage time is recorded
  density_times        []                times at which the density that began at the start is recorded

[escape.simulation]    the same problem simulated; compared in /agreement
  method               "langevin"        two time steps, extrapolated; or "sgd": discrete steps of the learning rate
  runs                 10000
  time_step            automatic         coarser of the two steps of "langevin"
  longest_time         30                in mean first-passage times; later escapes are censored

[escape.path]          least action and formulas for small noise, without a grid; compared in /agreement -> /escape_path
  to                   rest of target    end of the path, a minimum or a saddle; unless given, where the noise-free motion from the target's centre rests
  points               64                pieces of the coarsest of three paths
  bend                 0.3               initial paths are bent by this part of the distance to either side

LANDSCAPES of [escape]
  double_well            barrier = 0.25, half_distance = 1                   L = barrier ((x/half_distance)^2 - 1)^2
  tilted_double_well     barrier = 0.25, half_distance = 1, tilt             the same + tilt x
  asymmetric_double_well barrier = 0.25, half_distance = 1, curvature_ratio, depth_difference = 0    wells of unequal width
  two_valley_slice       y                                                   the two-valley model at fixed y, parameters of [landscape]
  two_valley                                                                 the two-valley model, variables x, y
  degenerate_valley      width = "formula in the second variable", confinement = 0    L = x^2/(2 width^2) + confinement y^2/2
  mueller_brown                                                              the standard surface with three minima
  quadratic              hessian, minimum                                    one or two variables
  table                  file, loss, axes                                    HDF5 file and paths in it; smooth spline

NOISES of [escape]
  isotropic              strength                                            strength I
  constant               tensor = [[..], [..]]                               a constant matrix
  hessian_power          power, strength, floor = 0                          strength H_+^power + floor I
  expression             tensor = [["..", ".."], ["..", ".."]]               formulas
  random_shift           covariance, points = 10, strength = 1, floor = 0    strength Cov grad L(theta + xi) + floor I, drift -E grad L(theta + xi)
  loss_scaled            residual_loss = 0, strength = 1, floor = 0          strength 2 (L + residual_loss) H_+ + floor I
  table                  file, entries, axes, strength = 1                   HDF5 file and paths in it: xx, or xx, xy, yy

SETS of [escape], the same for grids and simulations
  { ball = { centre, radius } }                   radius 0 is a point, allowed as a start
  { ellipse = { centre, semi_axes, angle = 0 } }  angle in radian
  { box = { lower, upper } }
  { half_space = { normal, offset } }             normal.theta > offset
  { basin = { of } }                              points that the noise-free motion takes where it takes the point `of`
  { sublevel = { below } }                        loss below a value
  { expression = "x^2 + y > 1" }
  { all = [.., ..] }                              points in all of several sets

RESULTS of [escape]
  numbers   mean_first_passage_time, first_passage_deviation (point starts), escape_rate, spectral_gap, slow_mode_frequency, mode_K_rate,
            mode_K_frequency (slow_modes > 1), reactive_rate, reactive_probability, mean_transition_duration, rate_constant (start sets), target_probability
            (absorbing ends), end_probability
  fields    loss, spurious_drift, stationary_density, effective_potential, stationary_current, slow_mode, mean_first_passage_time_field,
            first_passage_deviation_field, target_probability_field, quasi_stationary_density, committor, backward_committor,
            reactive_density, reactive_current
  one variable, point start    mean_first_passage_time_integral by exact quadrature, with its error
  /escape_path                 position, arclength, action, loss, effective_potential along the path; saddle_position, saddle_loss, loss_barrier,
            exponent, reduced_barrier, formula, escape_rate_theory with escape_rate_theory_expected_deviation, escape_rate_ratio
  in time   survival and first_passage_distribution at first_passage_times; density at density_times

[[sweep]]              repeat all tasks over this parameter; at most two such sections, records stacked along them
  parameter            required          dotted key, for example "noise.power" or "landscape.flatness_at"
  values               required          a list, or { from, to, points, scale = "log" | "linear" }

[effective_potential]  loss and effective potential on slices -> /effective_potential
  y                    series            5, 40
  noise_strength       0.001
  cells                800
  domain               fitted            ends of the x axis; refused when it cuts off more than 1e-6 of the probability
"#;
