"""What a night must survive, each fault in its short form; `make faults` tries them at length."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.__main__ import FAULTS, Fault
from tests.faults.stage import Stage, open_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as stage:
        yield stage


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS if fault.short])
def test_the_warehouse_survives(stage: Stage, fault: Fault) -> None:
    assert fault.short is not None
    outcome = fault.short(stage)
    assert outcome.failures == []
    assert outcome.tried > 0
