"""The asset checks of the warehouse, as the Dagster UI shows them: what each found, in sentences, and what to do.

Does not belong here: the rules that are checked (`assets/verify.py`, `sql/staging/trips_*.sql`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import dagster as dg

from assets.keys import asset_key
from assets.tripwires import TRIPWIRES, Tripped
from assets.verify import SUMS
from pipelines.plain import in_markdown
from pipelines.runbook import Heading, see
from pipelines.settings import Settings
from schemas.tables import TABLES, columns, key

LEDGER = "ops.ledger"
CONTRACT = Heading.CONTRACT.value
ADDS_UP = Heading.ADDS_UP.value
EVERY_EXPORT = Heading.EVERY_EXPORT_IS_IN.value
IS_PUBLISHED = Heading.IS_PUBLISHED.value
NO_FAILED_DAY = Heading.NO_FAILED_DAY.value
OUR_FAULT = (
    "Nothing was published, and readers keep what they had. This is a fault of the program, not of an export: report "
    "it with this sentence."
)
SHOWN = 5
"""So many sentences of a check are shown: with more the UI hides what to do behind *Show more*."""


def of_warehouse(settings: Settings) -> list[dg.AssetCheckSpec]:
    """Every check of the step that publishes, with the table that it is about and what it means."""
    return [
        *(
            dg.AssetCheckSpec(
                CONTRACT,
                asset=asset_key(settings, table),
                description="Columns, types, key and values are what the data dictionary says. Checked before "
                "publishing: a failure publishes nothing.",
            )
            for table in TABLES
        ),
        dg.AssetCheckSpec(
            ADDS_UP,
            asset=asset_key(settings, LEDGER),
            description="Ledger and marts add up to the last record. Checked before publishing: a failure publishes "
            "nothing.",
        ),
        dg.AssetCheckSpec(
            EVERY_EXPORT,
            asset=asset_key(settings, LEDGER),
            description="No export file was refused or is still waiting; those that were are not published.",
        ),
        dg.AssetCheckSpec(
            IS_PUBLISHED,
            asset=asset_key(settings, "ops.publications"),
            description="No version is pinned by `kcc rollback`, so readers get what was built.",
        ),
        *(
            dg.AssetCheckSpec(name, asset=asset_key(settings, wire.asset), description=wire.meaning)
            for name, wire in TRIPWIRES.items()
        ),
    ]


def of_exports(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a step that reads exports."""
    return [
        dg.AssetCheckSpec(
            CONTRACT,
            asset=asset,
            description="Every canonical record has the declared columns, types and words. Checked before it is "
            "written: a failure publishes nothing.",
        ),
        dg.AssetCheckSpec(
            NO_FAILED_DAY,
            asset=asset,
            description="No export day is left that a run failed to read, or whose export is not in.",
        ),
    ]


def contracts(settings: Settings) -> Iterator[dg.AssetCheckResult]:
    """That every table keeps its contract."""
    for table in TABLES:
        yield dg.AssetCheckResult(
            check_name=CONTRACT,
            asset_key=asset_key(settings, table),
            passed=True,
            description=f"{len(columns(table))} columns and the key ({', '.join(key(table))}) are as declared.",
        )


def broken_contract(asset: dg.AssetKey, sentence: str) -> dg.AssetCheckResult:
    """That a table, or the records of an export, break their contract."""
    return dg.AssetCheckResult(
        check_name=CONTRACT, asset_key=asset, passed=False, description=_told([sentence], OUR_FAULT)
    )


def records_keep_contract(asset: dg.AssetKey, records: int) -> dg.AssetCheckResult:
    """That the records that a run looked at keep theirs."""
    return dg.AssetCheckResult(
        check_name=CONTRACT,
        asset_key=asset,
        passed=True,
        description=f"{records:,} records of the days of this run are as declared.",
    )


def no_failed_day(asset: dg.AssetKey, failed: Iterable[date], not_in: Mapping[date, str]) -> dg.AssetCheckResult:
    """Whether a day is left that a run failed to read, or of which an export, told in a sentence, is not in."""
    told = dict.fromkeys(sorted(failed), "a run failed before it was read") | dict(sorted(not_in.items()))
    return dg.AssetCheckResult(
        check_name=NO_FAILED_DAY,
        asset_key=asset,
        passed=not told,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_told(
            [f"{day}: {why}" for day, why in told.items()],
            "Mend what is named. The next night goes over days that failed; to do it now, materialize them in job "
            f"nightly, or run: kcc run --from DAY --to DAY {see(Heading.NO_FAILED_DAY)}",
        )
        if told
        else "Every export day that a run took is read, and its exports are in.",
        metadata={"days": len(told)},
    )


def adds_up(settings: Settings, broken: str | None) -> dg.AssetCheckResult:
    """Whether ledger and sums hold; `broken` is the sentence of the first that does not."""
    return dg.AssetCheckResult(
        check_name=ADDS_UP,
        asset_key=asset_key(settings, LEDGER),
        passed=broken is None,
        description=f"{len(SUMS)} sums hold." if broken is None else _told([broken], OUR_FAULT),
    )


def every_export_is_in(settings: Settings, outstanding: Sequence[str]) -> dg.AssetCheckResult:
    """Whether everything is in; `outstanding` has a sentence for all that is not."""
    return dg.AssetCheckResult(
        check_name=EVERY_EXPORT,
        asset_key=asset_key(settings, LEDGER),
        passed=not outstanding,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_told(
            outstanding,
            "Mend each file, have it exported again under its name, or remove it; the next night takes it in. The rest "
            f"is published, and the months that miss something are not complete. {see(Heading.EVERY_EXPORT_IS_IN)}",
        )
        if outstanding
        else "Every export that lies in the exports folder is in.",
        metadata={"not_in": len(outstanding)},
    )


def is_published(settings: Settings, not_published: str | None) -> dg.AssetCheckResult:
    """Whether readers get what was built; `not_published` is the sentence that says why they don't."""
    return dg.AssetCheckResult(
        check_name=IS_PUBLISHED,
        asset_key=asset_key(settings, "ops.publications"),
        passed=not_published is None,
        severity=dg.AssetCheckSeverity.WARN,
        description="No version is pinned: readers get what was built."
        if not_published is None
        else _told(
            [f"Not published: {not_published}."],
            "Look at the file that lies aside. If it is right, run `kcc rollback --release` and then a night.",
        ),
    )


def tripwires(settings: Settings, tripped: Sequence[Tripped]) -> Iterator[dg.AssetCheckResult]:
    """The result of each tripwire; one that the settings accept does not fail, and says why."""
    for name, wire in TRIPWIRES.items():
        found = [one for one in tripped if one.tripwire == name]
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=asset_key(settings, wire.asset),
            passed=all(one.accepted_reason is not None for one in found),
            severity=dg.AssetCheckSeverity.ERROR if wire.is_blocking else dg.AssetCheckSeverity.WARN,
            description=_told([str(one) for one in found], f"{wire.what_to_do} {see(Heading(name))}")
            if found
            else f"Nothing found. {wire.meaning}",
            metadata={
                "found": len(found),
                **({"by_weekday_and_hour": dg.MetadataValue.md(_hours(found))} if any(o.hours for o in found) else {}),
            },
        )


def _told(found: Sequence[str], what_to_do: str) -> str:
    """What a check found, a sentence a line, and what to do; no name in it acts as Markdown."""
    lines = [in_markdown(sentence) for sentence in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"… and {len(found) - SHOWN} more.")
    return "\n\n".join([*lines, f"**What to do:** {in_markdown(what_to_do)}"])


def _hours(found: Sequence[Tripped]) -> str:
    """When calls were answered outside opening hours, as a table."""
    lines = ["| source | month | weekday | hour | answered | of them outside |", "|---|---|---|--:|--:|--:|"]
    lines += [
        f"| {one.source} | {one.month:%Y-%m} | {weekday} | {hour}-{hour + 1} h | {answered} | {outside} |"
        for one in found
        for weekday, hour, answered, outside in one.hours
    ]
    return "\n".join(lines)
