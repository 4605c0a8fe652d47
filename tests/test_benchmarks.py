"""Each benchmark runs and prints its table, with the smallest numbers. How fast it was is no concern here."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITHIN_S = 120  # on a busy machine; alone each takes 3 to 6
SMALLEST = {
    "delivery": (["--size", "1", "--apart", "0", "--rounds", "1"], "\nStembot, from the archive "),
    "intake": (["--commands", "20", "--rounds", "1"], "ratio "),
    "in_flight": (["--open", "50", "--seconds", "0.5"], "\n50 "),
    "ready_to_sent": (["--songs", "1"], "\ncallback "),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_runs(name):
    arguments, told = SMALLEST[name]
    command = [sys.executable, f"benchmarks/{name}.py", *arguments]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S)
    assert ran.returncode == 0, ran.stderr
    assert told in ran.stdout


def test_every_benchmark_is_tried():
    assert {file.stem for file in ROOT.glob("benchmarks/[a-z]*.py")} == set(SMALLEST)
