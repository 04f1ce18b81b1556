"""What a backfill tells of itself: how far it is now and then, and each file that is not taken in."""

from __future__ import annotations

import logging

import pytest

from pipelines.progress import FEW, Counts, shown

LOG = logging.getLogger("kcc")


def read(name: str, size: int, records: int, level: int = logging.INFO) -> None:
    LOG.log(level, "%s: %d records", name, records, extra={"has_read": (size, records)})


def test_a_backfill_without_a_terminal_tells_at_each_tenth_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts()
    with shown(counts, silent=False):
        LOG.debug("reading", extra={"to_read": (100, 100_000)})
        for number in range(100):
            read(f"calls_{number}.csv", 1000, 7)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("10 of 100 files, 70 records, ")
    assert lines[-1].startswith("100 of 100 files, 700 records, ")
    assert all("a second, " in line and line.endswith(" left") for line in lines)


def test_a_backfill_tells_each_file_that_is_not_taken_in(capsys: pytest.CaptureFixture[str]) -> None:
    with shown(Counts(), silent=False):
        LOG.debug("reading", extra={"to_read": (100, 100_000)})
        read("calls_1.csv", 1, 7)
        read("calls_2.csv", 1, 0, logging.WARNING)
    assert capsys.readouterr().err.splitlines() == ["calls_2.csv: 0 records"]


def test_a_few_files_are_told_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    with shown(Counts(), silent=False):
        LOG.debug("reading", extra={"to_read": (FEW, FEW)})
        for number in range(FEW):
            read(f"calls_{number}.csv", 1, 7)
    assert len(capsys.readouterr().err.splitlines()) == FEW


def test_what_is_to_be_silent_says_nothing_and_counts_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts()
    with shown(counts, silent=True):
        LOG.debug("reading", extra={"to_read": (2, 2)})
        read("calls_1.csv", 1, 7, logging.WARNING)
    assert (counts.files, counts.files_read, counts.records) == (2, 1, 7)
    assert capsys.readouterr() == ("", "")
