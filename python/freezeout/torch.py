"""Sections of the loss of a PyTorch model along training: loss, curvature and covariance of the gradient across a path of checkpoints.

At the checkpoint θ(s) with a direction u of unit length, the section is L(θ(s) + x u) over x. The covariance of one sample across is
C(x, s) = Var_i u·∇ℓ_i(θ(s) + x u), from one forward-mode derivative of the losses of all samples, and the curvature u·H u at x = 0 from a second one.
Both are those of SGD on these samples, drawn with replacement, exact but for rounding; the standard errors say how far they may lie from those of the
population from which the samples come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sections:
    """Measured sections: arrays over x (first) and s.

    ``alignment`` is u(s)·u(s of the checkpoint before), by which one sees whether the direction turns faster than the checkpoints follow each other.
    """

    x: np.ndarray
    s: np.ndarray
    time: np.ndarray
    loss: np.ndarray
    loss_standard_error: np.ndarray
    covariance: np.ndarray
    covariance_standard_error: np.ndarray
    curvature: np.ndarray
    alignment: np.ndarray

    def tables(self, **options: Any) -> dict[str, Any]:
        """Keywords for :class:`freezeout.Freezing`, with options of :func:`freezeout.from_tables`."""
        from .tables import from_tables

        return from_tables({"x": self.x, "s": self.s}, self.loss, self.covariance, time=self.time, **options)

    def save(self, path: Any) -> None:
        """Keeps all arrays as ``numpy.savez_compressed`` does; the file also serves ``landscape.table`` and ``noise.table``."""
        np.savez_compressed(path, **self.__dict__)

    @classmethod
    def load(cls, path: Any) -> Sections:
        """What :meth:`save` kept."""
        with np.load(path) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})


def sections(
    model: Any,
    loss: Callable[[Any, Any], Any],
    data: tuple[Any, Any],
    checkpoints: Sequence[Mapping[str, Any]],
    x: Any,
    *,
    time: Any,
    s: Any = None,
    direction: Any = "sharpest",
    batch: int = 1024,
    iterations: int = 50,
) -> Sections:
    """Measures sections across a path of checkpoints.

    :param model: a ``torch.nn.Module``; it is called without dropout and with the statistics of batch norm held (``eval``)
    :param loss: of outputs and targets, one number a sample, such as ``torch.nn.MSELoss(reduction="none")``
    :param data: inputs and targets, as tensors
    :param checkpoints: state dictionaries of the model along training
    :param x: positions across, ascending
    :param time: training time t = ηk of each checkpoint, ascending
    :param s: slow position of each checkpoint, ascending; the times unless given
    :param direction: u as a mapping of parameters or one flat tensor; ``"sharpest"`` takes the eigenvector of the largest eigenvalue of the Hessian at
        each checkpoint, by power iteration, with the sign that continues the one before
    :param batch: samples at once
    :param iterations: of the power iteration
    :raises ValueError: naming what is wrong, in one line
    """
    torch = _torch()
    x, time = np.asarray(x, dtype=float), np.asarray(time, dtype=float)
    s = time if s is None else np.asarray(s, dtype=float)
    for name, values in (("x", x), ("time", time), ("s", s)):
        if values.ndim != 1 or values.size < 2 or not np.all(np.diff(values) > 0):
            raise ValueError(f"{name}: two ascending positions or more are needed")
    if not len(checkpoints) == time.size == s.size:
        raise ValueError(f"checkpoints: {len(checkpoints)} for {time.size} times and {s.size} slow positions")
    inputs, targets = data
    if len(inputs) != len(targets) or len(inputs) < 2:
        raise ValueError(f"data: {len(inputs)} inputs and {len(targets)} targets; as many of both are needed, two or more")
    was_training = model.training
    model.eval()
    try:
        measure = _Measure(torch, model, loss, inputs, targets, batch)
        columns, before = [], None
        for checkpoint in checkpoints:
            missing = measure.names - set(checkpoint)
            if missing:
                raise ValueError(f"checkpoints: one of them lacks the parameter {sorted(missing)[0]}")
            theta = {name: checkpoint[name].detach().clone() for name in measure.names}
            measure.buffers = {name: checkpoint.get(name, value) for name, value in model.named_buffers()}
            if isinstance(direction, str):
                if direction != "sharpest":
                    raise ValueError(f'direction: "{direction}" is not known; use "sharpest", a mapping or a tensor')
                u = measure.sharpest(theta, before, iterations)
            else:
                u = measure.unit(measure.as_parameters(direction, theta))
            alignment = 1.0 if before is None else measure.dot(u, before)
            columns.append((*measure.section(theta, u, x), measure.curvature(theta, u), alignment))
            before = u
    finally:
        model.train(was_training)
    mean, mean_error, variance, variance_error, curvature, alignment = (np.array(column) for column in zip(*columns))
    return Sections(x, s, time, mean.T, mean_error.T, variance.T, variance_error.T, curvature, alignment)


def _torch():
    try:
        import torch
        import torch.func  # noqa: F401
    except ImportError:
        raise ImportError("freezeout.torch.sections needs PyTorch: pip install torch") from None
    return torch


class _Measure:
    """Losses of all samples as a function of the parameters."""

    def __init__(self, torch: Any, model: Any, loss: Any, inputs: Any, targets: Any, batch: int) -> None:
        self.torch, self.model, self.loss = torch, model, loss
        self.batches = list(zip(inputs.split(batch), targets.split(batch)))
        self.samples = len(inputs)
        self.names = {name for name, _ in model.named_parameters()}
        self.buffers: dict[str, Any] = {}

    def losses(self, theta: dict[str, Any], inputs: Any, targets: Any):
        values = self.loss(self.torch.func.functional_call(self.model, (theta, self.buffers), (inputs,)), targets)
        if values.dim() == 0 or len(values) != len(inputs):
            raise ValueError('loss: one number a sample is needed, as with reduction="none"')
        return values.reshape(len(inputs), -1).mean(dim=1)

    def section(self, theta: dict[str, Any], u: dict[str, Any], x: np.ndarray):
        """Mean loss and variance of the gradient along u, with their standard errors, at each x."""
        jvp, n = self.torch.func.jvp, self.samples
        rows = []
        for position in x:
            moved = {name: theta[name] + float(position)*u[name] for name in theta}
            found = [jvp(lambda t, b=b: self.losses(t, *b), (moved,), (u,)) for b in self.batches]
            losses, slopes = (self.torch.cat(part).double().detach().cpu().numpy() for part in zip(*found))
            deviation = slopes - slopes.mean()
            variance, fourth = (deviation**2).mean(), (deviation**4).mean()
            rows.append((losses.mean(), losses.std(ddof=1)/n**0.5, variance, (max(fourth - variance**2, 0.0)/n)**0.5))
        return np.array(rows).T

    def curvature(self, theta: dict[str, Any], u: dict[str, Any]) -> float:
        """u·H u of the mean loss."""
        jvp = self.torch.func.jvp
        total = 0.0
        for b in self.batches:
            def slope(t, b=b):
                return jvp(lambda r: self.losses(r, *b).sum(), (t,), (u,))[1]
            total += float(jvp(slope, (theta,), (u,))[1])
        return total/self.samples

    def sharpest(self, theta: dict[str, Any], before: dict[str, Any] | None, iterations: int) -> dict[str, Any]:
        """Eigenvector of the Hessian of largest modulus, from the one before or a fixed start."""
        torch = self.torch
        start = torch.Generator().manual_seed(0)
        u = before or {name: torch.randn(value.shape, generator=start, dtype=value.dtype).to(value.device) for name, value in theta.items()}
        u = self.unit(u)
        for _ in range(iterations):
            product = {name: torch.zeros_like(value) for name, value in theta.items()}
            for b in self.batches:
                gradient = torch.func.grad(lambda t, b=b: self.losses(t, *b).sum())
                part = torch.func.jvp(gradient, (theta,), (u,))[1]
                product = {name: product[name] + part[name] for name in theta}
            u = self.unit(product)
        if before is not None and self.dot(u, before) < 0:
            u = {name: -value for name, value in u.items()}
        return u

    def as_parameters(self, direction: Any, theta: dict[str, Any]) -> dict[str, Any]:
        if isinstance(direction, Mapping):
            if set(direction) != self.names:
                raise ValueError("direction: it must have the parameters of the model, each of its shape")
            return {name: self.torch.as_tensor(direction[name]).to(theta[name]) for name in theta}
        flat = self.torch.as_tensor(direction).reshape(-1)
        sizes = [(name, theta[name].numel()) for name, _ in self.model.named_parameters()]
        if flat.numel() != sum(size for _, size in sizes):
            raise ValueError(f"direction: {flat.numel()} numbers for {sum(size for _, size in sizes)} parameters")
        parts = flat.split([size for _, size in sizes])
        return {name: part.reshape(theta[name].shape).to(theta[name]) for (name, _), part in zip(sizes, parts)}

    def dot(self, a: dict[str, Any], b: dict[str, Any]) -> float:
        return float(sum((a[name]*b[name]).sum() for name in a))

    def unit(self, u: dict[str, Any]) -> dict[str, Any]:
        length = self.dot(u, u)**0.5
        if not length > 0:
            raise ValueError("direction: it has no length")
        return {name: value/length for name, value in u.items()}
