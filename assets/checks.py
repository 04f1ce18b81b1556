"""The asset checks of the warehouse, as the Dagster UI shows them: what each found, in sentences, and what to do.

Does not belong here: the rules that are checked (`assets/verify.py`, `sql/staging/trips_*.sql`).
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets.tripwires import TRIPWIRES, Tripped
from pipelines.plain import in_markdown

LEDGER = "ops.ledger"
ADDS_UP = "adds_up"
EVERY_EXPORT = "every_export_is_in"


def asset_key(table: str) -> dg.AssetKey:
    """`core.calls` is the asset core/calls."""
    return dg.AssetKey(table.split("."))


def specs() -> list[dg.AssetCheckSpec]:
    """Every check, with the table that it is about and what it means."""
    return [
        dg.AssetCheckSpec(
            ADDS_UP,
            asset=asset_key(LEDGER),
            description="Contracts, ledger and sums hold. Checked before publishing: a failure publishes nothing.",
        ),
        dg.AssetCheckSpec(
            EVERY_EXPORT,
            asset=asset_key(LEDGER),
            description="No export file was refused or is still waiting; those that were are not published.",
        ),
        *(
            dg.AssetCheckSpec(name, asset=asset_key(wire.asset), description=wire.meaning)
            for name, wire in TRIPWIRES.items()
        ),
    ]


def adds_up(broken: str | None) -> dg.AssetCheckResult:
    """Whether contracts, ledger and sums hold; `broken` is the sentence of the first that does not."""
    return dg.AssetCheckResult(
        check_name=ADDS_UP,
        asset_key=asset_key(LEDGER),
        passed=broken is None,
        description=broken or "Every contract and every sum holds.",
    )


def every_export_is_in(outstanding: Sequence[str]) -> dg.AssetCheckResult:
    """Whether everything is in; `outstanding` has a sentence for all that is not."""
    return dg.AssetCheckResult(
        check_name=EVERY_EXPORT,
        asset_key=asset_key(LEDGER),
        passed=not outstanding,
        severity=dg.AssetCheckSeverity.ERROR,
        description=in_markdown("; ".join(outstanding)) or "Every export is in.",
        metadata={"not_in": len(outstanding)},
    )


def tripwires(tripped: Sequence[Tripped]) -> Iterator[dg.AssetCheckResult]:
    """The result of each tripwire; one that the settings accept does not fail, and says why."""
    for name, wire in TRIPWIRES.items():
        found = [one for one in tripped if one.tripwire == name]
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=asset_key(wire.asset),
            passed=all(one.accepted_reason is not None for one in found),
            severity=dg.AssetCheckSeverity.ERROR if wire.is_blocking else dg.AssetCheckSeverity.WARN,
            description=in_markdown(" ".join(map(str, found))) or "Nothing found.",
            metadata={
                **({"what_to_do": wire.what_to_do} if found else {}),
                **({"by_weekday_and_hour": dg.MetadataValue.md(_hours(found))} if any(o.hours for o in found) else {}),
            },
        )


def _hours(found: Sequence[Tripped]) -> str:
    """When calls were answered outside opening hours, as a table."""
    lines = ["| source | month | weekday | hour | answered | of them outside |", "|---|---|---|--:|--:|--:|"]
    lines += [
        f"| {one.source} | {one.month:%Y-%m} | {weekday} | {hour}-{hour + 1} h | {answered} | {outside} |"
        for one in found
        for weekday, hour, answered, outside in one.hours
    ]
    return "\n".join(lines)
