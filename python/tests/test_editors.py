"""Editors that are built on taplo know what a configuration may say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from test_run import PROGRAM

TAPLO = shutil.which("taplo", path=Path(sys.executable).parent) or shutil.which("taplo")
pytestmark = [
    pytest.mark.skipif(TAPLO is None, reason="taplo is not installed"),
    pytest.mark.skipif(not PROGRAM.is_file(), reason="the program is not built: cargo build --release --features cli"),
]


def lint(folder):
    done = subprocess.run([TAPLO, "lint"], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_an_example_names_the_schema_beside_it(tmp_path):
    subprocess.run([PROGRAM, "init", "example.toml"], cwd=tmp_path, check=True)
    code, said = lint(tmp_path)
    assert code == 0, said
    config = tmp_path / "example.toml"
    config.write_text(config.read_text().replace("learning_rate =", "learning_rat =", 1))
    code, said = lint(tmp_path)
    assert code != 0 and "learning_rat" in said


def test_the_configurations_of_the_project_follow_the_schema(tmp_path):
    shutil.copy(ROOT / ".taplo.toml", tmp_path)
    for folder in ("paper/experiments", "examples", "tests/scan"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "freezeout.schema.json").write_bytes(subprocess.run([PROGRAM, "schema"], check=True, capture_output=True).stdout)
    code, said = lint(tmp_path)
    assert code == 0, said
    # Each of the three is associated.
    for file in ("paper/experiments/freezing.toml", "examples/snakemake/sweep.toml", "tests/scan/line0.toml"):
        config = tmp_path / file
        text = config.read_text()
        config.write_text("sede = 1\n" + text)
        code, said = lint(tmp_path)
        assert code != 0 and "sede" in said, file
        config.write_text(text)
