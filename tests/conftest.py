"""What all tests share: one option, and the rule that nothing is skipped where everything is required."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept-graph", action="store_true", help="write the asset graph's snapshot anew")
