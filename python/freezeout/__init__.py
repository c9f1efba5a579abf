"""How the noise of stochastic gradient descent reshapes a loss landscape: effective potentials, escape rates, freezing of valley selection.

A problem is the TOML document of the program ``freezeout``: text, a file, a ``dict``, or a class for each task, such as :class:`Escape` or
:class:`Freezing`, whose keywords are the keys of its section. Results are trees of xarray datasets, record by record what the program writes to HDF5.

>>> import freezeout
>>> well = freezeout.Escape(
...     landscape={"loss": "(x^2 - 1)^2/4"},
...     noise={"model": "isotropic", "strength": 0.1},
...     region={"domain": [[-2.5, 2.5]]},
...     cells=200,
...     start={"ball": {"centre": [-1.0], "radius": 0.0}},
...     target={"expression": "x > 1"},
... )
>>> time = well.run()["escape"].mean_first_passage_time
>>> round(float(time), 6)
66.268626

What other input can mend is a ``ValueError`` with the text of the program, which names the key and the fix; a computation that failed is a
``RuntimeError``.
"""

from . import plot, problems
from ._freezeout import __version__
from .generators import Generator
from .problem import Problem
from .problems import *  # noqa: F403, the tasks: one class each, made from the schema
from .problems import schema
from .running import check, run
from .sweeps import sweep
from .tables import from_tables

__all__ = [
    "Generator",
    "Problem",
    "__version__",
    "check",
    "from_tables",
    "plot",
    "run",
    "schema",
    "sweep",
    *problems.__all__,
]
