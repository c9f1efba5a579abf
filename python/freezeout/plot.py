"""Figures of results on matplotlib: each function draws one thing on the axes given, or on new ones, and returns them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def _axes(ax: Any):
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("freezeout.plot needs matplotlib: pip install matplotlib") from None
    return plt.subplots(layout="constrained")[1]


def _group(result: xr.DataTree, name: str) -> xr.DataTree:
    groups = {node.relative_to(result): node for node in result.descendants}
    if name not in groups:
        raise ValueError(f"{name}: the result has no such group; it has {', '.join(groups)}")
    return groups[name]


def _record(result: xr.DataTree, path: str) -> xr.DataArray:
    group, _, name = path.rpartition("/")
    node = _group(result, group)
    if name not in node.data_vars:
        raise ValueError(f"{path}: there is no such record; {group} has {', '.join(map(str, node.data_vars))}")
    return node[name]


def _error(result: xr.DataTree, path: str) -> np.ndarray | None:
    name = _record(result, path).attrs.get("ancillary_variables")
    return None if name is None else _record(result, f"{path.rpartition('/')[0]}/{name}").values


def _label(array: xr.DataArray) -> str:
    name, units = array.attrs.get("symbol") or str(array.name).replace("_", " "), array.attrs.get("measured_in", array.attrs.get("units", "1"))
    return name if units == "1" else f"{name} ({units})"


def _field(result: xr.DataTree, path: str, ax: Any):
    ax = _axes(ax)
    field = _record(result, path)
    if field.ndim == 1:
        (name,) = field.dims
        ax.plot(field[name], field)
        ax.set(xlabel=name, ylabel=_label(field))
    elif field.ndim == 2:
        first, second = field.dims
        mesh = ax.pcolormesh(field[first], field[second], field.T, shading="nearest", rasterized=True)
        ax.figure.colorbar(mesh, ax=ax, label=_label(field))
        ax.set(xlabel=first, ylabel=second)
    else:
        raise ValueError(f"{path} has {field.ndim} dimensions {field.dims}: choose a cell of the sweep first, with isel")
    return ax


def stationary_density(result: xr.DataTree, ax: Any = None):
    """The stationary density of ``[escape]``, on a line or as a map."""
    return _field(result, "escape/fields/stationary_density", ax)


def effective_potential(result: xr.DataTree, ax: Any = None):
    """−ln of the stationary density of ``[escape]``, minimum at zero."""
    return _field(result, "escape/fields/effective_potential", ax)


def against(result: xr.DataTree, path: str, ax: Any = None, **options: Any):
    """A number with its error against the swept key, a line for each value of a second one; ``path`` is such as ``"escape/escape_rate"``."""
    ax = _axes(ax)
    number, error = _record(result, path), _error(result, path)
    swept = [name for name in number.dims if str(name).startswith("swept_")]
    if not swept or number.ndim > 2:
        raise ValueError(f"{path} runs along {number.dims}: one or two swept keys are needed, and nothing else")
    if number.ndim == 2 and len(swept) == 1:
        (first,), (second,) = swept, [name for name in number.dims if name not in swept]
    else:
        first, second = swept[0], swept[1] if len(swept) > 1 else None
    count = 1 if second is None else number.sizes[second]
    values = number.transpose(first, ...).values.reshape(-1, count)
    errors = None if error is None else number.copy(data=np.broadcast_to(error, number.shape)).transpose(first, ...).values.reshape(-1, count)
    for k in range(count):
        label = None if second is None else f"{str(second).removeprefix('swept_')} {number[second].values[k]}"
        bars = None if errors is None else errors[:, k]
        ax.errorbar(number[first].values, values[:, k], bars, **{"fmt": "o-", "capsize": 2, "label": label, **options})
    if second is not None:
        ax.legend()
    ax.set(xlabel=str(first).removeprefix("swept_").replace("_", " "), ylabel=_label(number))
    return ax


def arrhenius(result: xr.DataTree, path: str = "escape/escape_rate", ax: Any = None):
    """ln of a rate against 1/(swept noise), with the straight line through the two weakest noises, whose slope is minus the barrier that they see."""
    ax = _axes(ax)
    rate, error = _record(result, path), _error(result, path)
    if rate.ndim != 1 or not str(rate.dims[0]).startswith("swept_") or rate.size < 2:
        raise ValueError(f"{path} runs along {rate.dims}: one swept strength of the noise is needed, with two values or more")
    noise = np.asarray(rate[rate.dims[0]].values, dtype=float)
    order = np.argsort(noise)
    inverse, logarithm = 1/noise[order], np.log(rate.values[order])
    bars = None if error is None else (error/rate.values)[order]
    ax.errorbar(inverse, logarithm, bars, fmt="o", capsize=2)
    slope = (logarithm[0] - logarithm[1])/(inverse[0] - inverse[1])
    ax.plot(inverse, logarithm[0] + slope*(inverse - inverse[0]), "-", linewidth=1, label=f"slope {slope:.4g}")
    ax.set(xlabel=f"1/{str(rate.dims[0]).removeprefix('swept_').replace('_', ' ')}", ylabel=f"ln {_label(rate)}")
    ax.legend()
    return ax


def freezing(result: xr.DataTree, ax: Any = None):
    """Probabilities of the valleys along the slow variable, those of the density at the snapshots, and the freezing position with its error."""
    ax = _axes(ax)
    group = _group(result, "freezing")
    for k in range(group.sizes["valley"]):
        (line,) = ax.plot(group.s, group.probability[k], label=f"valley at {float(group.valley_x[k, -1]):.3f}")
        ax.plot(group.snapshot_s, group.snapshot_probability[k], "o", color=line.get_color(), markersize=4)
        if "p_final_sgd" in group.data_vars:
            bar = float(group.p_final_sgd_standard_error[k])
            ax.errorbar(group.attrs["end"], float(group.p_final_sgd[k]), bar, fmt="s", mfc="none", capsize=2, color=line.get_color())
    position, error = float(group.freezing_position), float(group.freezing_position_error)
    if np.isfinite(position):
        ax.axvline(position, color="0.5", linewidth=1, linestyle="--", label=f"freezing at {position:.4g} ± {error:.1g}")
    ax.set(xlabel="s", ylabel="P", ylim=(-0.02, 1.02))
    ax.legend()
    return ax
