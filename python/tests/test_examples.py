"""The examples for clusters give the bytes of one run."""

import getpass
import os
import shutil
import socket
import subprocess
import time

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
    """The script as Slurm calls it."""
    (folder / "shards").mkdir()
    script = EXAMPLES / "cluster" / "sweep.sbatch"
    for task in "12":
        call(folder, "bash", str(script), "sweep.toml", SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_COUNT="2")
    call(folder, "freezeout", "merge", "shards/1.h5", "shards/2.h5", "-o", "sweep.h5", "--quiet")
    assert (folder / "sweep.h5").read_bytes() == one_run(folder)


# Daemons stand in /usr/sbin, which is not on every path.
SLURMCTLD, SLURMD = (shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin") for name in ("slurmctld", "slurmd"))


@pytest.fixture
def slurm(tmp_path_factory):
    """A Slurm of one node, this machine as if it had eight cores, run by this user; the environment in which its commands find it."""
    folder = tmp_path_factory.mktemp("slurm")
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("", 0))
    controller, node = (each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    host, user = socket.gethostname().split(".")[0], getpass.getuser()
    (folder / "slurm.conf").write_text(
        f"""
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs=8
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE
"""
    )
    for each in ("state", "spool"):
        (folder / each).mkdir()
    environment = {"SLURM_CONF": str(folder / "slurm.conf")}
    logs = [open(folder / f"{name}.log", "w") for name in ("slurmctld", "slurmd")]
    daemons = [
        subprocess.Popen([*command, "-D", "-f", environment["SLURM_CONF"]], stdout=log, stderr=log)
        for command, log in zip(([SLURMCTLD, "-c"], [SLURMD, "-N", host]), logs)
    ]
    try:
        wait_for_node(host, environment, folder)
        yield environment
    finally:
        for daemon, log in zip(reversed(daemons), reversed(logs)):
            daemon.terminate()
            daemon.wait(30)
            log.close()


def wait_for_node(host, environment, folder):
    for _ in range(120):
        said = subprocess.run(["sinfo", "-h", "-n", host, "-o", "%t"], env={**os.environ, **environment}, capture_output=True, text=True)
        if said.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    logs = "".join((folder / f"{name}.log").read_text() for name in ("slurmctld", "slurmd"))
    pytest.fail(f"the node is {said.stdout or said.stderr}: {logs}")


@pytest.mark.skipif(None in (SLURMCTLD, SLURMD, shutil.which("sbatch")), reason="slurmctld, slurmd or sbatch is not installed")
def test_the_job_array_under_slurm(folder, slurm):
    """The commands of the guide, with as many cells as the array has tasks."""
    shutil.copy(EXAMPLES / "cluster" / "sweep.sbatch", folder)
    sweep = folder / "sweep.toml"
    sweep.write_text(sweep.read_text().replace("points = 8", "points = 20"))
    assert "#SBATCH --array=1-20\n" in (folder / "sweep.sbatch").read_text()
    commands = """
        mkdir -p shards
        array=$(sbatch --parsable sweep.sbatch sweep.toml)
        sbatch --wait --dependency=afterok:$array --wrap "freezeout merge shards/*.h5 -o sweep.h5"
    """
    call(folder, "bash", "-euc", commands, **slurm)
    for kind in ("h5", "log"):
        assert len(list((folder / "shards").glob(f"*.{kind}"))) == 20
    assert (folder / "sweep.h5").read_bytes() == one_run(folder)


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="snakemake is not installed")
def test_the_snakefile(folder):
    shutil.copy(EXAMPLES / "snakemake" / "Snakefile", folder)
    call(folder, "snakemake", "--cores", "2")
    assert (folder / "sweep.h5").read_bytes() == one_run(folder)
    assert any((folder / "sweep_figures").iterdir())
