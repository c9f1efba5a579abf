"""From the records of a result to xarray."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr

def tree(result: dict[str, Any]) -> xr.DataTree:
    """A node a group, with the attributes of the result at the root."""
    nodes = {"/": xr.Dataset(attrs=result["attributes"])}
    for group in result["groups"]:
        warning = group["attributes"].get("warning")
        if warning is not None:
            warnings.warn(f"{group['name']}: {warning}", stacklevel=4)
        nodes["/" + group["name"]] = _dataset(group)
    return xr.DataTree.from_dict(nodes)


def _dataset(group: dict[str, Any]) -> xr.Dataset:
    variables = {record["name"]: _variable(record) for record in group["records"]}
    coordinates = {name for name, variable in variables.items() if variable.dims == (name,)}
    return xr.Dataset(
        {name: variable for name, variable in variables.items() if name not in coordinates},
        {name: variables[name] for name in variables if name in coordinates},
        {"description": group["description"], **group["attributes"]},
    )


def _variable(record: dict[str, Any]) -> xr.Variable:
    values = np.asarray(record["values"]).reshape(record["shape"])
    return xr.Variable(record["dimensions"], values, record["attributes"])
