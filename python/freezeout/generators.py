"""The matrix of a problem, for the linear algebra of others."""

from __future__ import annotations

from typing import Any

import numpy as np


class Generator:
    """Jump rates between the cells of a grid.

    ``rates`` holds what leaves each state for each other, in compressed rows (``row_starts``, ``targets``), ``killing`` what leaves through absorbing
    ends, ``states`` the cell of each state with the last variable running fastest, ``faces`` the faces of the cells along each variable. All rates in
    1/time.
    """

    def __init__(self, arrays: dict[str, Any]) -> None:
        self.row_starts: np.ndarray = arrays["row_starts"]
        self.targets: np.ndarray = arrays["targets"]
        self.rates: np.ndarray = arrays["rates"]
        self.killing: np.ndarray = arrays["killing"]
        self.states: np.ndarray = arrays["states"]
        self.faces: list[np.ndarray] = list(arrays["faces"])

    def to_scipy(self):
        """Lf = Σ_j r_ij (f_j − f_i) − k_i f_i as a ``scipy.sparse.csr_array``; its transpose is the forward operator.

        The diagonal is minus the sum of its row. With it the relative accuracy of rates below 1e-16 of the largest is gone, which the routes of this
        package keep by never forming it.
        """
        try:
            from scipy.sparse import csr_array, diags_array
        except ImportError:
            raise ImportError("to_scipy needs scipy: pip install scipy") from None
        size = len(self.states)
        rates = csr_array((self.rates, self.targets, self.row_starts), shape=(size, size))
        leaving = rates.sum(axis=1) + self.killing
        return (rates - diags_array(leaving)).tocsr()

    def centres(self) -> np.ndarray:
        """Centres of the cells of the states, one row a state."""
        axes = [(faces[1:] + faces[:-1])/2 for faces in self.faces]
        indices = np.unravel_index(self.states, [len(axis) for axis in axes])
        return np.stack([axis[index] for axis, index in zip(axes, indices)], axis=1)
