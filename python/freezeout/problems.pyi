"""Made from the schema of configurations by ``python -m freezeout._stubs``."""

from collections.abc import Mapping, Sequence
from typing import Any

from .problem import Problem, WithGenerator

SHARED: tuple[str, ...]

def schema() -> dict[str, Any]: ...

__all__ = [
    "Escape",
    "TransferOperator",
    "PhaseSpace",
    "RareEvents",
    "CriticalPoints",
    "Coupled",
    "Freezing",
    "StaticOdds",
    "EffectivePotential",
    "Slices",
    "Surface",
    "Trajectories",
    "StationaryMap",
    "FreezingTheory",
    "FinalProbability",
    "Schedules",
    "ScheduleDesign",
    "NoiseLaws",
    "Ablations",
    "FreezingLine",
    "PhaseDiagram",
    "Network",
    "NetworkEscape",
    "NetworkSchedules",
]

class Escape(WithGenerator):
    def __init__(
        self,
        *,
        cells: Sequence[int],
        start: Mapping[str, Any],
        concentrate: Sequence[Mapping[str, Any]] = ...,
        reach: int = ...,
        jump_drift: str = ...,
        target: Mapping[str, Any] | None = ...,
        slow_modes: int = ...,
        first_passage_times: Sequence[float] = ...,
        density_times: Sequence[float] = ...,
        path: Mapping[str, Any] | None = ...,
        simulation: Mapping[str, Any] | None = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class TransferOperator(Problem):
    def __init__(
        self,
        *,
        start: Mapping[str, Any],
        target: Mapping[str, Any],
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class PhaseSpace(Problem):
    def __init__(
        self,
        *,
        start: Mapping[str, Any],
        target: Mapping[str, Any],
        friction: float | Sequence[float] | Mapping[str, Any] | None = ...,
        momentum: float | Sequence[float] | Mapping[str, Any] | None = ...,
        columns: int | None = ...,
        levels: int = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class RareEvents(Problem):
    def __init__(
        self,
        *,
        start: Mapping[str, Any],
        target: Mapping[str, Any],
        noise_strength: float | Sequence[float] | Mapping[str, Any] | None = ...,
        method: str = ...,
        time_step: float | None = ...,
        momentum: float = ...,
        reaction_coordinate: str | None = ...,
        departure: float | None = ...,
        replicas: int = ...,
        repetitions: int = ...,
        most_steps: int = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class CriticalPoints(Problem):
    def __init__(
        self,
        *,
        starts: int = ...,
        noise_strength: float | Sequence[float] | Mapping[str, Any] | None = ...,
        mobility: Sequence[Sequence[float]] | None = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Coupled(Problem):
    def __init__(
        self,
        *,
        dimension: Sequence[int],
        coupling: float | Sequence[float] | Mapping[str, Any],
        largest_rate: float | Sequence[float] | Mapping[str, Any],
        form: str = ...,
        others: str | None = ...,
        points: int = ...,
        cells: int = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Freezing(Problem):
    def __init__(
        self,
        *,
        start: float,
        end: float,
        start_x: Sequence[float],
        slow: str | None = ...,
        velocity: str | None = ...,
        clock: Mapping[str, Any] | None = ...,
        schedule: Sequence[Sequence[float]] = ...,
        shallowest: float = ...,
        snapshots: Sequence[float] = ...,
        points: int = ...,
        runs: int = ...,
        langevin_time_step: float | None = ...,
        design: Mapping[str, Any] | None = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class StaticOdds(Problem):
    def __init__(
        self,
        *,
        y: Sequence[float] = ...,
        noise_strength: Sequence[float] = ...,
        learning_rate: float | Sequence[float] | Mapping[str, Any] = ...,
        samples: int = ...,
        ridge_y: float = ...,
        ridge_noise_strength: float = ...,
        ridge_width: Sequence[float] = ...,
        ridge_learning_rate: float = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class EffectivePotential(Problem):
    def __init__(
        self,
        *,
        y: float | Sequence[float] | Mapping[str, Any] = ...,
        noise_strength: float = ...,
        cells: int = ...,
        domain: Sequence[float] | None = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Slices(Problem):
    def __init__(
        self,
        *,
        y: Sequence[float] = ...,
        noise_strength: Sequence[float] = ...,
        walkers: int = ...,
        time_step: float = ...,
        longest_time: float = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Surface(Problem):
    def __init__(
        self,
        *,
        x: float | Sequence[float] | Mapping[str, Any] = ...,
        y: float | Sequence[float] | Mapping[str, Any] = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Trajectories(Problem):
    def __init__(
        self,
        *,
        learning_rate: float = ...,
        sigma: float = ...,
        runs: int = ...,
        steps: int = ...,
        record_every: int = ...,
        start_x: Sequence[float] = ...,
        start_y: float = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class StationaryMap(Problem):
    def __init__(
        self,
        *,
        y: float | Sequence[float] | Mapping[str, Any] = ...,
        noise_strength: float | Sequence[float] | Mapping[str, Any] = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class FreezingTheory(Problem):
    def __init__(
        self,
        *,
        noise_strength: float | Sequence[float] | Mapping[str, Any] = ...,
        start_y: float = ...,
        start_p_flat: float = ...,
        end_y: float = ...,
        nodes: int = ...,
        ramp: float = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class FinalProbability(Problem):
    def __init__(
        self,
        *,
        noise_strength: float | Sequence[float] | Mapping[str, Any] = ...,
        learning_rate: float = ...,
        start_y: float = ...,
        end_y: float = ...,
        planar: bool = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Schedules(Problem):
    def __init__(
        self,
        *,
        before: float = ...,
        after: float = ...,
        change_y: float | Sequence[float] | Mapping[str, Any] = ...,
        shape: Sequence[str] = ...,
        returns: int = ...,
        table: Sequence[Sequence[float]] = ...,
        pieces: int = ...,
        start_y: float = ...,
        end_y: float = ...,
        lever: str = ...,
        clock: str = ...,
        learning_rate: float = ...,
        runs: int = ...,
        langevin_time_step: float | None = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class ScheduleDesign(Problem):
    def __init__(
        self,
        *,
        weakest: float = ...,
        strongest: float = ...,
        pieces: int = ...,
        batches_a_step: float | None = ...,
        start_y: float = ...,
        end_y: float = ...,
        learning_rate: float = ...,
        runs: int = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class NoiseLaws(Problem):
    def __init__(
        self,
        *,
        learning_rate: float = ...,
        batch_size: Sequence[int] = ...,
        momentum: Sequence[float] = ...,
        stability: Sequence[float] = ...,
        labels: bool = ...,
        rms: bool = ...,
        samples: Sequence[int] = ...,
        runs: int = ...,
        steps: int = ...,
        start_y: float = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Ablations(Problem):
    def __init__(
        self,
        *,
        noise_strength: float | Sequence[float] | Mapping[str, Any] = ...,
        learning_rate: float = ...,
        runs: int = ...,
        steps: int = ...,
        start_x: Sequence[float] = ...,
        start_y: float = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class FreezingLine(Problem):
    def __init__(
        self,
        *,
        learning_rate: float = ...,
        sigma: float | Sequence[float] | Mapping[str, Any] = ...,
        runs: int = ...,
        steps: int = ...,
        start_x: Sequence[float] = ...,
        start_y: float = ...,
        records: int = ...,
        ramp: float = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class PhaseDiagram(Problem):
    def __init__(
        self,
        *,
        learning_rate: float | Sequence[float] | Mapping[str, Any] = ...,
        sigma: float | Sequence[float] | Mapping[str, Any] = ...,
        runs: int = ...,
        steps: int = ...,
        start_x: Sequence[float] = ...,
        start_y: float = ...,
        hold_y: bool = ...,
        ramp: float = ...,
        transfer: bool = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class Network(Problem):
    def __init__(
        self,
        *,
        data: str | None = ...,
        train: int = ...,
        test: int = ...,
        shuffle_labels: bool = ...,
        hidden: Sequence[int] = ...,
        learning_rate: float | Sequence[float] | Mapping[str, Any] = ...,
        batch_size: float | Sequence[float] | Mapping[str, Any] = ...,
        repeats: int = ...,
        time: float = ...,
        checkpoints: int = ...,
        momentum: float = ...,
        replacement: bool = ...,
        scan_every: int = ...,
        refine_every: int = ...,
        directions: int = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class NetworkEscape(Problem):
    def __init__(
        self,
        *,
        data: str | None = ...,
        train: int = ...,
        test: int = ...,
        hidden: Sequence[int] = ...,
        learning_rate: float = ...,
        batch_size: int = ...,
        time: float = ...,
        sections: float | Sequence[float] | Mapping[str, Any] = ...,
        restarts: int = ...,
        horizon: float = ...,
        looks: int = ...,
        parts: int = ...,
        string_steps: int = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...

class NetworkSchedules(Problem):
    def __init__(
        self,
        *,
        data: str | None = ...,
        train: int = ...,
        test: int = ...,
        hidden: Sequence[int] = ...,
        learning_rate: float = ...,
        batch_size: int = ...,
        time: float = ...,
        lever: str = ...,
        factor: int = ...,
        change: float | Sequence[float] | Mapping[str, Any] = ...,
        repeats: int = ...,
        name: str = ...,
        seed: int = ...,
        landscape: Mapping[str, Any] = ...,
        noise: Mapping[str, Any] | None = ...,
        sgd: Mapping[str, Any] | None = ...,
        region: Mapping[str, Any] | None = ...,
        **other_tasks: Mapping[str, Any],
    ) -> None: ...
