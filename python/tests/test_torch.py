"""Measured sections against closed forms; without PyTorch only the refusal."""

import importlib.util

import freezeout
import numpy as np
import pytest
from freezeout import torch as measured

HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed")


@pytest.mark.skipif(HAS_TORCH, reason="PyTorch is installed")
def test_without_torch_one_line_says_so():
    with pytest.raises(ImportError) as caught:
        measured.sections(None, None, (None, None), [], [], time=[])
    assert str(caught.value) == "freezeout.torch.sections needs PyTorch: pip install torch"


def linear():
    """y = w·a + noise with two weights: ℓ_i = (w·a_i − y_i)²/2, quadratic in w."""
    import torch

    generator = torch.Generator().manual_seed(3)
    a = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    y = a @ torch.tensor([[1.0], [-2.0]], dtype=torch.float64) + 0.3*torch.randn(200, 1, generator=generator, dtype=torch.float64)
    model = torch.nn.Linear(2, 1, bias=False, dtype=torch.float64)
    checkpoints = [{"weight": torch.tensor([[w, 0.5]], dtype=torch.float64)} for w in (0.0, 0.4, 0.9)]
    return model, (lambda out, y: (out - y)**2/2), (a, y), checkpoints


@needs_torch
@pytest.mark.parametrize("batch", [1024, 64])
def test_a_linear_model_has_closed_forms(batch):
    model, loss, (a, y), checkpoints = linear()
    x = np.linspace(-1, 1, 5)
    u = np.array([0.6, 0.8])
    found = measured.sections(model, loss, (a, y), checkpoints, x, time=[0.0, 1.0, 2.0], direction={"weight": u[None, :]}, batch=batch)
    a, y = a.numpy(), y.numpy()[:, 0]
    for k, checkpoint in enumerate(checkpoints):
        for j, position in enumerate(x):
            residual = a @ (checkpoint["weight"].numpy()[0] + position*u) - y
            slopes = residual*(a @ u)
            assert found.loss[j, k] == pytest.approx((residual**2/2).mean(), rel=1e-12)
            assert found.covariance[j, k] == pytest.approx(slopes.var(), rel=1e-12)
            assert found.loss_standard_error[j, k] == pytest.approx((residual**2/2).std(ddof=1)/200**0.5, rel=1e-12)
    assert found.curvature == pytest.approx(((a @ u)**2).mean(), rel=1e-12)
    sharp = measured.sections(model, loss, (linear()[2]), checkpoints, x, time=[0.0, 1.0, 2.0], iterations=400)
    assert sharp.curvature == pytest.approx(np.linalg.eigvalsh(a.T @ a/200)[-1], rel=1e-9)
    assert sharp.alignment == pytest.approx(1.0)


@needs_torch
def test_the_standard_error_of_the_covariance_covers():
    """Spread of the covariance over many draws of the data against the error stated, and the control: a third of it would not do."""
    import torch

    model, loss, _, checkpoints = linear()
    values, errors = [], []
    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        a = torch.randn(400, 2, generator=generator, dtype=torch.float64)
        data = (a, a[:, :1] + 0.3*torch.randn(400, 1, generator=generator, dtype=torch.float64))
        found = measured.sections(model, loss, data, checkpoints[:2], [0.0, 0.5], time=[0.0, 1.0], direction=[0.6, 0.8])
        values.append(found.covariance)
        errors.append(found.covariance_standard_error)
    ratio = np.std(values, axis=0, ddof=1)/np.mean(errors, axis=0)
    # a standard deviation of 60 draws is known to 1/sqrt(118), more for tails as heavy as here: four times that
    assert np.all(np.abs(ratio - 1) < 0.5), ratio
    assert np.all(3*ratio - 1 > 0.5)


@needs_torch
def test_sections_become_a_problem_and_are_kept(tmp_path):
    model, loss, data, checkpoints = linear()
    found = measured.sections(model, loss, data, checkpoints, np.linspace(-1, 1, 9), time=[0.0, 1.0, 2.0])
    found.save(tmp_path / "s.npz")
    kept = measured.Sections.load(tmp_path / "s.npz")
    assert all(np.array_equal(getattr(kept, name), value) for name, value in found.__dict__.items())
    assert "freezing" in freezeout.Freezing(**kept.tables(), start=0.0, end=2.0, start_x=[0.0]).document()


@needs_torch
def test_refusals():
    import torch

    model, loss, data, checkpoints = linear()

    def says(text, **changes):
        options = {"loss": loss, "data": data, "checkpoints": checkpoints, "x": [0.0, 1.0], "time": [0.0, 1.0, 2.0], **changes}
        with pytest.raises(ValueError) as caught:
            measured.sections(model, **options)
        assert str(caught.value).startswith(text) and "\n" not in str(caught.value)

    says("loss: one number a sample", loss=torch.nn.MSELoss())
    says("time: ", time=[0.0, 2.0, 1.0])
    says("checkpoints: 3 for 2", time=[0.0, 1.0])
    says("checkpoints: one of them lacks", checkpoints=[{}, {}, {}])
    says("direction: 3 numbers for 2 parameters", direction=[1.0, 0.0, 0.0])
    says('direction: "flattest" is not known', direction="flattest")
    says("data: 200 inputs and 3", data=(data[0], data[1][:3]))
    assert model.training
