"""`make bench-scale` at its smallest: does it run, and does it compare."""

from __future__ import annotations

import re
import subprocess
import sys

from pipelines.settings import ROOT


def test_the_nights_of_a_city_leave_in_a_lake_what_they_leave_in_a_file() -> None:
    words = ["--only", "kills", "--cities", "1", "--days", "5", "--rounds", "1", "--kill-every", "600", "601"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.lake", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = dict(re.findall(r"^\| (.+?) +\| (.*?) +\|$", done.stdout, flags=re.MULTILINE))
    assert told["nights that ended well"] == "3"
    assert int(told["rows that are those of the undisturbed build by file"].removeprefix("all ").replace(",", "")) > 100
    assert told["the same after one more night each, two days later"] == "0"
