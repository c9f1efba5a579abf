"""Trains a small PyTorch model, measures sections along its training and, to have something to predict, how often SGD ends in which valley.

    python measure_tied_unit.py        (a minute or two; writes tied_unit_sections.npz and tied_unit_runs.npz)

The model sees three inputs of ±1 and learns y = a1 + κ a2 as f = φ(w) a1 + γ w a3 + ε v a2 with φ(w) = w² + β w³. The weight w has two valleys, a sharp one at
w > 0 and a flat one at w < 0. The weight v learns slowly, and until it has, the part of a2 that is not yet learned is the noise that carries w across.
"""

import numpy as np
import torch
from freezeout.torch import sections

KAPPA, GAMMA, BETA, EPSILON = 5.0, 0.7, 0.1, 0.1
LEARNING_RATE, STEPS, EVERY, RUNS = 0.01, 10_000, 250, 4000

torch.set_num_threads(1)
inputs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)]*3)
targets = inputs[:, 0] + KAPPA*inputs[:, 1]


class TiedUnit(torch.nn.Module):
    def __init__(self, w, v):
        super().__init__()
        self.w = torch.nn.Parameter(torch.as_tensor(w, dtype=torch.float64))
        self.v = torch.nn.Parameter(torch.as_tensor(v, dtype=torch.float64))

    def forward(self, a):
        unit = self.w[..., None]**2*(1 + BETA*self.w[..., None])
        return unit*a[..., 0] + GAMMA*self.w[..., None]*a[..., 2] + EPSILON*self.v[..., None]*a[..., 1]


def loss(outputs, targets):
    return (outputs - targets)**2/2


# Gradient descent in the sharp valley is the path; v learns along it.
model = TiedUnit(0.9, 0.0)
descent = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
checkpoints, times = [], []
for step in range(-2000, STEPS + 1):
    if step == 0:
        with torch.no_grad():
            model.v.zero_()
    if step >= 0 and step % EVERY == 0:
        checkpoints.append({name: value.detach().clone() for name, value in model.named_parameters()})
        times.append(LEARNING_RATE*step)
    descent.zero_grad()
    loss(model(inputs), targets).mean().backward()
    descent.step()

origin = float(checkpoints[0]["w"])
measured = sections(
    model,
    loss,
    (inputs, targets),
    checkpoints,
    np.linspace(-5.5, 5.2, 215) - origin,
    time=times,
    s=[EPSILON*float(c["v"])/KAPPA for c in checkpoints],
    direction={"w": 1.0, "v": 0.0},
)

# SGD itself, one sample a step, RUNS models side by side, each begun in the sharp valley.
torch.manual_seed(1)
runs = TiedUnit(torch.full((RUNS,), origin), torch.zeros(RUNS))
fractions = []
for step in range(STEPS + 1):
    if step % EVERY == 0:
        fractions.append(float((runs.w < 0).double().mean()))
    drawn = torch.randint(len(inputs), (RUNS,))
    a, y = inputs[drawn], targets[drawn]
    with torch.no_grad():
        w = runs.w
        residual = w**2*(1 + BETA*w)*a[:, 0] + GAMMA*w*a[:, 2] + EPSILON*runs.v*a[:, 1] - y
        runs.v -= LEARNING_RATE*residual*EPSILON*a[:, 1]
        runs.w -= LEARNING_RATE*residual*((2*w + 3*BETA*w**2)*a[:, 0] + GAMMA*a[:, 2])

measured.save("tied_unit_sections.npz")
np.savez_compressed("tied_unit_runs.npz", origin=origin, flat=fractions, runs=RUNS, learning_rate=LEARNING_RATE)
print(f"sharp valley at w = {origin:.4f}; {fractions[-1]:.4f} of {RUNS} runs end in the flat one")
