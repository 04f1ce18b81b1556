"""The vendor formats that are known by name, and which of them a header is.

Add one: a module beside this one with its `Format`, its name in `FORMATS`, a fixture in `tests/formats/`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from assets.adapters import aircall, asterisk, cisco_uccx, genesys, jcc, qmatic, teams, three_cx
from assets.adapters.vendor import Format

KNOWN = (
    *(three_cx.V20, asterisk.QUEUE_LOG, asterisk.CDR, asterisk.FREEPBX, cisco_uccx.DETAILED_CALL_CSQ_AGENT),
    *(genesys.INTERACTIONS, aircall.AIRCALL, aircall.OLDER_AIRCALL, teams.CALL_QUEUE),
    *(qmatic.REST, qmatic.APPOINTMENTS, qmatic.VISITS, jcc.REST),
)
FORMATS: dict[str, Format] = {known.name: known for known in KNOWN}


class Recognised(NamedTuple):
    """A format that a file is like, how sure that is in a sentence, and whether it is sure."""

    known: Format
    sentence: str
    is_sure: bool = True


def recognised(header: Sequence[str]) -> Recognised | None:
    """Which format a header is, or almost is; None if it is like none."""
    with_header = [known for known in FORMATS.values() if not known.first_record]
    for known in with_header:
        if known.difference(header) is None:
            how = "it has every column" if known.more_columns else "its header is exactly that"
            return Recognised(known, f'{how} of {known.title}: format = "{known.name}"')
    for known in with_header:
        shared = max(len(set(generation) & set(known.names(header))) / len(generation) for generation in known.headers)
        if shared >= 0.7:
            almost = f'its header is almost that of {known.title} ("{known.name}"), but {known.difference(header)}'
            return Recognised(known, almost, is_sure=False)
    return None


def recognised_without_header(known: Format, first_record: Sequence[str]) -> Recognised | None:
    """Whether the first record of a file without a header has the shapes of a format; None if it has not."""
    columns = next((header for header in known.headers if len(header) == len(first_record)), None)
    if columns is None:
        return None
    values = dict(zip(columns, first_record, strict=True))
    if not all(re.fullmatch(shape, values[column]) for column, shape in known.first_record.items()):
        return None
    sentence = f'it has no header, but its first record looks like {known.title}: format = "{known.name}"'
    return Recognised(known, sentence)
