"""Writes docs/data-dictionary.md from the models: every published table, its columns, and which rows belong together.

Does not belong here: what a table or column means (`sql/`, `core.py`, `marts.py`, `ops.py`), and how tables are joined
(`joins.py`).
"""

from __future__ import annotations

from schemas.joins import JOINS
from schemas.tables import TABLES, columns, description, key

HEAD = """# Data dictionary

Every table of `kcc.duckdb`, as the COMMENTs in the file tell it too. Written from the models in `schemas/` and the
heads of the files in `sql/` by `make docs`: change it there.

| schema | holds |
|---|---|
| `marts` | figures: sums and counts, and what derives from them |
| `core` | what the figures are made of: a row a call, an appointment, a day of the calendar, a norm |
| `ops` | what was read, what could not be, what looks wrong, what was published and what changed |

`_at_utc` is an instant in UTC, `_local` the same by the clock of the centre, `_date` and `date` a civil day there; both
kinds of instants are `TIMESTAMP` without a zone. `_seconds`, `_minutes` and `_working_days` are units; a `_share`,
`_rate` or `_level` goes from 0 to 1, while a value with a `unit` beside it may be in percent. Booleans begin with
`is_`, but for `complete` and `norm_met`. Durations and sums are exact decimals; a figure for which nothing was measured
is NULL, never 0.

## Which rows belong together

The diagram shows the keys; the table below it, how to join. The file declares no foreign keys; each join is checked on
the sample city. `ops.tripwires`, `ops.days` and `ops.incomplete_days` belong to whole months and days, and stand alone.
"""


def dictionary() -> str:
    """The page, as Markdown."""
    parts = [HEAD, _diagram(), _joins()]
    parts += [_table(table) for table in TABLES]
    return "\n".join(parts)


def _diagram() -> str:
    joined = {table for join in JOINS for table in (join.many, join.one)}
    lines = ["```mermaid", "erDiagram", "    direction LR"]
    for table in TABLES:
        if table in joined:
            types = {column.name: column.type for column in columns(table)}
            lines.append(f'    {_entity(table)}["{table}"] {{')
            lines += [f"        {_word(types[name])} {name} PK" for name in key(table)]
            lines.append("    }")
    for join in JOINS:
        end = "||" if join.always else "o|"
        lines.append(f'    {_entity(join.many)} }}o--{end} {_entity(join.one)} : ""')
    return "\n".join([*lines, "```", ""])


def _entity(table: str) -> str:
    return table.replace(".", "_")


def _word(duckdb_type: str) -> str:
    return duckdb_type.partition("(")[0].lower()


def _joins() -> str:
    lines = ["| each row of | finds in | how many | on |", "|---|---|---|---|"]
    lines += [
        f"| {_link(join.many)} | {_link(join.one)} | {'1' if join.always else '0..1'} | `{join.on}`"
        f"{'' if join.where == 'true' else f' where `{join.where}`'} |"
        for join in JOINS
    ]
    return "\n".join([*lines, ""])


def _link(table: str) -> str:
    return f"[`{table}`](#{anchor(table)})"


def anchor(table: str) -> str:
    """The name of a table's heading on the page: `core.calls` is `corecalls`."""
    return table.replace(".", "")


def _table(table: str) -> str:
    file = f"sql/{table.replace('.', '/')}.sql"
    keys = ", ".join(f"`{name}`" for name in key(table))
    lines = [
        f"## {table}",
        "",
        f"{description(table)} Key: {keys}. Computed by [`{file}`](../{file}).",
        "",
        "| column | type | NULL | meaning |",
        "|---|---|---|---|",
    ]
    for column in columns(table):
        null, meaning = "yes" if column.is_nullable else "", column.meaning.replace("|", r"\|")
        lines.append(f"| `{column.name}` | {column.type} | {null} | {meaning} |")
    return "\n".join([*lines, ""])
