"""The vendor formats that are known by name, and which of them a header is.

Add one: a module beside this one with its `Format`, its name in `FORMATS`, a fixture in `tests/formats/`.
"""

from __future__ import annotations

from collections.abc import Sequence

from assets.adapters import cisco_uccx, three_cx
from assets.adapters.vendor import Format

FORMATS: dict[str, Format] = {known.name: known for known in (three_cx.V20, cisco_uccx.DETAILED_CALL_CSQ_AGENT)}


def recognised(header: Sequence[str]) -> str | None:
    """Which format a header is, and how sure that is; None if it is like none."""
    for known in FORMATS.values():
        if known.difference(header) is None:
            return f'its header is exactly that of {known.title}: format = "{known.name}"'
    for known in FORMATS.values():
        shared = max(len(set(generation) & set(header)) / len(generation) for generation in known.headers)
        if shared >= 0.7:
            return f'its header is almost that of {known.title} ("{known.name}"), but {known.difference(header)}'
    return None
