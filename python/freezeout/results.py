"""From the records of a result to xarray."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr

_ERRORS = ("_error", "_standard_error")


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
    names = {record["name"] for record in group["records"]}
    variables = {record["name"]: _variable(record, names) for record in group["records"]}
    coordinates = {name for name, variable in variables.items() if variable.dims == (name,)}
    return xr.Dataset(
        {name: variable for name, variable in variables.items() if name not in coordinates},
        {name: variables[name] for name in variables if name in coordinates},
        {"description": group["description"], **group["attributes"]},
    )


def _variable(record: dict[str, Any], names: set[str]) -> xr.Variable:
    name = record["name"]
    attributes = {"units": record["unit"], "long_name": record["description"], "symbol": record["symbol"]}
    attributes["missing"] = record["missing"]
    attributes["ancillary_variables"] = next((name + end for end in _ERRORS if name + end in names), None)
    values = np.asarray(record["values"]).reshape(record["shape"])
    return xr.Variable(record["dimensions"], values, {key: text for key, text in attributes.items() if text})
