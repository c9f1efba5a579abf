#!/usr/bin/env python3
"""Training of the network of the paper, 784-50-50-10, at the size of MNIST: this crate and PyTorch, in turn, on the same images.

    make training-peers          or            python3 tests/benches/training_peers.py [--repeats 20] [--steps 2000] [--rounds 3] [--batched]

pip install torch adds the peer (optional: without it only our time is printed).

Images      1000, normal numbers about one of ten centres each; batches of 50 by epoch shuffles, learning rate .05, cross-entropy, He-normal starts
Peers       PyTorch run by run (its optimizer and modules), and all repeats at once in batched products; each in double and in single precision
Timed       wall time of all repeats on all cores, data and start-up not counted; each round runs all once. Medians over rounds are printed, and the
            median of the ratios of each round, each with the range over rounds. --batched leaves out the peers that run one by one. This crate
            computes in double precision.
Checked     the mean final losses agree within five standard errors of their difference
Wanted      at least as fast as the fastest of the peers in double precision
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from formula_peers import build, json

RATE, BATCH, SIZES = 0.05, 50, [784, 50, 50, 10]


def images():
    random = np.random.default_rng(1)
    labels = np.arange(1000) % 10
    centres = 0.25 * random.standard_normal((10, 784))
    return centres[labels] + random.standard_normal((1000, 784)), labels


def one_by_one(torch, inputs, labels, repeats, steps):
    losses = []
    for _ in range(repeats):
        layers = []
        for a, b in zip(SIZES, SIZES[1:]):
            layer = torch.nn.Linear(a, b, dtype=inputs.dtype)
            torch.nn.init.normal_(layer.weight, std=math.sqrt(2 / a))
            torch.nn.init.zeros_(layer.bias)
            layers += [layer, torch.nn.ReLU()]
        network = torch.nn.Sequential(*layers[:-1])
        optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
        for step in range(steps):
            if step % (len(labels) // BATCH) == 0:
                batches = torch.randperm(len(labels)).split(BATCH)
            batch = batches[step % len(batches)]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(inputs[batch]), labels[batch]).backward()
            optimizer.step()
        losses.append(torch.nn.functional.cross_entropy(network(inputs), labels).item())
    return losses


def all_at_once(torch, inputs, labels, repeats, steps):
    parameters = []
    for a, b in zip(SIZES, SIZES[1:]):
        parameters.append(torch.randn(repeats, a, b, dtype=inputs.dtype) * math.sqrt(2 / a))
        parameters.append(torch.zeros(repeats, 1, b, dtype=inputs.dtype))
    for p in parameters:
        p.requires_grad_()

    def loss(x, y):
        for k in range(0, len(parameters), 2):
            x = torch.baddbmm(parameters[k + 1], x, parameters[k])
            x = torch.relu(x) if k + 2 < len(parameters) else x
        return torch.nn.functional.cross_entropy(x.flatten(0, 1), y.flatten(), reduction="none").view(repeats, -1).mean(1)

    for step in range(steps):
        if step % (len(labels) // BATCH) == 0:
            order = torch.stack([torch.randperm(len(labels)) for _ in range(repeats)])
        first = step % (len(labels) // BATCH) * BATCH
        batch = order[:, first : first + BATCH]
        gradients = torch.autograd.grad(loss(inputs[batch], labels[batch]).sum(), parameters)
        with torch.no_grad():
            torch._foreach_sub_(parameters, gradients, alpha=RATE)
    with torch.no_grad():
        return loss(inputs.expand(repeats, -1, -1), labels.expand(repeats, -1)).tolist()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--repeats", type=int, default=20)
    options.add_argument("--steps", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--batched", action="store_true")
    options = options.parse_args()
    binary = build("training_peer")
    inputs, labels = images()
    ways = {}
    try:
        import torch

        torch.set_num_threads(os.cpu_count())
        for name, precision in [("double", torch.float64), ("single", torch.float32)]:
            data = torch.tensor(inputs, dtype=precision), torch.tensor(labels)
            if not options.batched:
                ways[f"PyTorch, one by one, {name}"] = (one_by_one, data)
            ways[f"PyTorch, all at once, {name}"] = (all_at_once, data)
        for way, data in ways.values():
            way(torch, *data, 2, 20)
    except ImportError:
        print("torch: not installed")
    seconds, losses = {"freezeout": []}, {}
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "images")
        np.column_stack([inputs, labels]).astype("<f8").tofile(file)
        command = [binary, file, str(options.repeats), str(options.steps), str(BATCH), str(RATE)]
        for _ in range(options.rounds):
            report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            seconds["freezeout"].append(report["seconds"])
            losses["freezeout"] = report["losses"]
            for name, (way, data) in ways.items():
                before = time.perf_counter()
                losses[name] = way(torch, *data, options.repeats, options.steps)
                seconds.setdefault(name, []).append(time.perf_counter() - before)
    print(f"{'':<34}{'seconds':>18}{'ratio':>21}{'final loss':>22}")
    own, wrong = losses["freezeout"], []
    error = lambda values: np.std(values, ddof=1) / math.sqrt(len(values))
    for name, times in seconds.items():
        off = abs(np.mean(losses[name]) - np.mean(own))
        if off > 5 * math.hypot(error(losses[name]), error(own)):
            wrong.append(name)
        columns = [f"{np.median(v):.2f} ({min(v):.2f}-{max(v):.2f})" for v in (times, np.divide(times, seconds["freezeout"]))]
        print(f"{name:<34}{columns[0]:>20}{columns[1]:>19}{np.mean(losses[name]):>13.5f} +- {error(losses[name]):.5f}")
    return f"final losses disagree: {', '.join(wrong)}" if wrong else None


if __name__ == "__main__":
    sys.exit(main())
