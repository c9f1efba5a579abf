"""The examples for clusters give the bytes of one run."""

import os
import shutil
import subprocess

import pytest
from conftest import ROOT
from test_run import PROGRAM

EXAMPLES = ROOT / "examples"


@pytest.fixture
def folder(tmp_path):
    if not PROGRAM.is_file():
        pytest.skip("the program is not built: cargo build --release --features cli")
    shutil.copy(EXAMPLES / "snakemake" / "sweep.toml", tmp_path)
    return tmp_path


def call(folder, *command, **environment):
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def one_run(folder):
    call(folder, "freezeout", "run", "sweep.toml", "-o", "one.h5", "--quiet")
    return (folder / "one.h5").read_bytes()


def test_the_job_array(folder):
    """The script as Slurm calls it; a real slurmctld and slurmd gave the same bytes."""
    (folder / "shards").mkdir()
    script = EXAMPLES / "cluster" / "sweep.sbatch"
    for task in "12":
        call(folder, "bash", str(script), "sweep.toml", SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_COUNT="2")
    call(folder, "freezeout", "merge", "shards/1.h5", "shards/2.h5", "-o", "sweep.h5", "--quiet")
    assert (folder / "sweep.h5").read_bytes() == one_run(folder)


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="snakemake is not installed")
def test_the_snakefile(folder):
    shutil.copy(EXAMPLES / "snakemake" / "Snakefile", folder)
    call(folder, "snakemake", "--cores", "2")
    assert (folder / "sweep.h5").read_bytes() == one_run(folder)
    assert any((folder / "sweep_figures").iterdir())
