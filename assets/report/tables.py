"""Which figure stands where: the tables behind the charts, for the page and the workbook alike.

Belongs here: titles of columns and the figures below them, with what must be said of them. Does not belong here: how a
value is written (`dutch`), and markup of any kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from assets.report import dutch, words
from assets.report.figures import Figure, Figures
from pipelines.settings import ActionPlan

Kind = Literal[
    "text", "count", "signed", "euro", "year", "month", "percent", "seconds", "minutes", "working_days", "met"
]
PLACES: dict[Kind, int] = {"percent": 2, "seconds": 2, "minutes": 2, "working_days": 2, "euro": 2}
NOT_MET = "norm niet gehaald"
ABSENT = "–"


@dataclass(frozen=True)
class Cell:
    """A value, what kind it is, and what must be said of it. Without a value `reason` says why.

    `bound` is ≥ where the true value may be higher, ≤ where it may be lower.
    """

    kind: Kind
    value: str | int | float | Decimal | date | bool | None
    reason: str = ""
    norm: Decimal | None = None
    norm_met: bool | None = None
    bound: str = ""
    shows_met: bool = False

    @property
    def text(self) -> str:
        """As it is read in Dutch."""
        if self.value is None:
            return self.reason or ABSENT
        written = self._written()
        return f"{self.bound}{dutch.BLANK}{written}" if self.bound else written

    def _written(self) -> str:  # noqa: PLR0911
        value = self.value
        if isinstance(value, bool):
            return "ja" if value else "nee"
        if isinstance(value, date):
            return dutch.month(value)
        if self.kind in ("text", "year") or value is None or isinstance(value, str):
            return str(value)
        if self.kind == "euro":
            return dutch.euro(Decimal(str(value)))
        if self.kind == "signed":
            return dutch.signed(int(value))
        if self.kind == "percent":
            return dutch.percent(value, PLACES["percent"], self.norm)
        return dutch.number(value, PLACES.get(self.kind, 0), self.norm)

    @property
    def places(self) -> int:
        """With how many decimal places its figure is written: as many as it takes not to read as its norm."""
        least = PLACES.get(self.kind, 0)
        if isinstance(self.value, (int, float, Decimal)) and self.kind != "euro":
            return dutch.places_apart(self.value, least, self.norm)
        return least

    @property
    def misses_norm(self) -> bool:
        """Whether it is marked as not meeting its norm."""
        return self.shows_met and self.norm_met is False

    @property
    def is_number(self) -> bool:
        """Whether it is set to the right."""
        return self.kind not in ("text", "year", "month", "met")


@dataclass(frozen=True)
class Row:
    """A row: the cell that names it, its figures, and whether its period is complete."""

    name: Cell
    cells: Sequence[Cell]
    complete: bool = True
    is_total: bool = False


@dataclass(frozen=True)
class Table:
    """A table: the name of its sheet in the workbook, a caption, the titles of its columns (the first: of names)."""

    sheet: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    has_periods: bool = True
    notes: Sequence[str] = field(default_factory=list)


def cell(figure: Figure | None, *, shows_met: bool = False) -> Cell:
    """A figure of the marts as a cell."""
    if figure is None:
        return Cell("text", None)
    return Cell(
        kind=_kind(figure.unit),
        value=figure.value,
        reason=words.NO_VALUE.get(figure.value_reason or "", ""),
        norm=figure.norm_value,
        norm_met=figure.norm_met,
        bound=_bound(figure),
        shows_met=shows_met,
    )


def _bound(figure: Figure) -> str:
    """True waits are longer than those that begin at the queue: fewer calls are in the shortest bucket."""
    if not figure.is_lower_bound:
        return ""
    if figure.indicator == "answer_speed":
        return "≤" if figure.dimension == words.BUCKETS[0] else ""
    return "≥"


def _kind(unit: str) -> Kind:
    kinds: dict[str, Kind] = {"percent": "percent", "seconds": "seconds", "minutes": "minutes"}
    return kinds.get(unit, "working_days")


def count(amount: Decimal | int | None) -> Cell:
    """An exact count."""
    return Cell("count", None if amount is None else int(amount))


def met(figure: Figure | None) -> Cell:
    """Whether the exact figure meets its norm; of a bound that does, nobody knows."""
    if figure is not None and figure.is_lower_bound and figure.norm_met:
        return Cell("text", None, words.UNDECIDED)
    return Cell("met", figure.norm_met if figure else None)


def norm(operator: str, value: Decimal, unit: str) -> str:
    """≤ 20 %; < 45 seconden; ≤ 1 minuut."""
    name = words.ONE.get(unit, words.UNITS[unit]) if value == 1 else words.UNITS[unit]
    return f"{words.OPERATORS[operator]}{dutch.BLANK}{dutch.plain(value)}{dutch.BLANK}{name}"


def money(plan: ActionPlan) -> Table:
    """What the plan was to cost and did cost."""
    rows = [
        Row(Cell("year", one.year), [Cell("euro", one.budget), Cell("euro", one.account)])
        for one in sorted(plan.money, key=lambda one: one.year)
    ]
    return Table("Geld", "Uitgaven van het actieplan, in euro", ["Jaar", "Budget", "Rekening"], rows, has_periods=False)


def missed_by_year(figures: Figures) -> Table:
    """Missed calls by year: reported beside corrected, between the bounds of what is uncertain."""
    by = _by_period(figures.years, "missed_calls")
    rows = [
        Row(
            Cell("year", period.year),
            [
                cell(one.get("reported")),
                cell(one["headline"], shows_met=True),
                met(one["headline"]),
                count(one["headline"].numerator),
                count(one["headline"].denominator),
                cell(one.get("lowest_possible")),
                cell(one.get("highest_possible")),
                cell(one.get("without_short_abandons")),
            ],
            one["headline"].complete,
        )
        for period, one in by.items()
        if one["headline"].value is not None or period >= figures.range.first.replace(month=1)
    ]
    return Table(
        "Gemist per jaar",
        "Gemiste oproepen per jaar, in % van alle oproepen binnen de openingsuren",
        [
            "Jaar",
            "Zoals de software meldt",
            "Verbeterd",
            "Norm gehaald",
            "Gemist",
            "Oproepen",
            "Ondergrens",
            "Bovengrens",
            "Zonder wie snel inhaakt",
        ],
        rows,
        notes=[
            "Zoals de software meldt: in % van al haar registraties, op elk uur. Onder- en bovengrens: als "
            "alle oproepen "
            "waarover twijfel bestaat beantwoord, of net gemist zouden zijn."
        ],
    )


def history(figures: Figures) -> Table:
    """What was published before."""
    rows = [
        Row(Cell("year", one.year), [Cell("percent", one.value), Cell("text", one.source)]) for one in figures.history
    ]
    return Table(
        "Eerder gepubliceerd",
        "Gemiste oproepen zoals eerder gepubliceerd, niet herberekenbaar",
        ["Jaar", "Gepubliceerd", "Bron"],
        rows,
        has_periods=False,
        notes=[
            "Overgenomen zoals gepubliceerd, volgens een methode die niet bekend is: of deze cijfers vóór of na de "
            "verbetering van de softwarefout zijn, staat er niet bij. Ze zijn niet te vergelijken met de "
            "cijfers hierboven."
        ],
    )


def missed_by_month(figures: Figures) -> Table:
    """The same by month, without a norm: that is for the year."""
    by = _by_period(figures.months, "missed_calls")
    rows = [
        Row(
            Cell("month", period),
            [
                cell(one.get("reported")),
                cell(one["headline"]),
                count(one["headline"].numerator),
                count(one["headline"].denominator),
                cell(one.get("lowest_possible")),
                cell(one.get("highest_possible")),
            ],
            one["headline"].complete,
        )
        for period, one in by.items()
    ]
    return Table(
        "Gemist per maand",
        "Gemiste oproepen per maand, in % van alle oproepen binnen de openingsuren",
        ["Maand", "Zoals de software meldt", "Verbeterd", "Gemist", "Oproepen", "Ondergrens", "Bovengrens"],
        rows,
        notes=["Wat de software meldt, is het aandeel in al haar registraties, op elk uur."],
    )


def bridge(figures: Figures) -> Table:
    """From the records that the software calls missed to the calls that were."""
    ends = ("reported_missed", "corrected_missed")
    rows = [
        Row(
            Cell("text", words.STEPS[one.step]),
            [Cell("count" if one.step in ends else "signed", one.records)],
            is_total=one.step in ends,
        )
        for one in figures.bridge
    ]
    return Table(
        "Van gemeld naar verbeterd",
        "Van gemeld naar verbeterd: wat de software gemist noemt en wat dat niet is, in aantal registraties",
        ["Stap", "Registraties"],
        rows,
        has_periods=False,
        notes=["De stappen tellen exact op; elke stap leidt in de databank tot zijn oproepen."],
    )


def telephone_wait(figures: Figures) -> Table:
    """The mean wait by month, held against both readings of the promise."""
    by = _by_period(figures.months, "telephone_wait")
    readings = [
        (variant, norms[-1])
        for variant in ("headline", "action_plan")
        if (norms := figures.norms_of("telephone_wait", variant))
    ]
    rows = [
        Row(
            Cell("month", period),
            [
                cell(one["headline"], shows_met=True),
                *(met(one.get(variant)) for variant, _ in readings),
                count(one["headline"].denominator),
                cell(one.get("queue_wait")),
            ],
            one["headline"].complete,
        )
        for period, one in by.items()
    ]
    return Table(
        "Telefonische wachttijd",
        "Gemiddelde wachttijd van beantwoorde oproepen per maand, in seconden",
        [
            "Maand",
            "Wachttijd (s)",
            *("Norm gehaald" if variant == "headline" else "Norm gehaald, lezing actieplan" for variant, _ in readings),
            "Oproepen",
            "In de wachtrij alleen (s)",
        ],
        rows,
    )


def answer_speed(figures: Figures) -> Table:
    """Answered calls by bucket of their wait."""
    by = {bucket: figures.series("answer_speed", "headline", "speed_bucket", bucket) for bucket in words.BUCKETS}
    unknown = figures.series("answer_speed", "headline", "speed_bucket", "unknown")
    offered = figures.series("answer_speed", "of_offered", "speed_bucket", words.BUCKETS[0])
    rows = [
        Row(
            Cell("month", first.period),
            [
                *(cell(by[bucket][place], shows_met=True) for bucket in words.BUCKETS),
                met(first),
                count(first.denominator),
                count(unknown[place].numerator),
                cell(offered[place]),
            ],
            first.complete,
        )
        for place, first in enumerate(by[words.BUCKETS[0]])
    ]
    return Table(
        "Snelheidscategorieën",
        "Beantwoorde oproepen naar wachttijd in seconden, in % per maand",
        [
            "Maand",
            *(f"{bucket} s" for bucket in words.BUCKETS),
            "Norm gehaald",
            "Oproepen",
            "Zonder bruikbare wachttijd",
            "0-30 s, van alle oproepen binnen de openingsuren",
        ],
        rows,
    )


def visitor_wait(figures: Figures) -> Table:
    """The visitor wait by month and cluster."""
    clusters = figures.dimensions("visitor_wait", "cluster")
    by = {cluster: figures.series("visitor_wait", "headline", "cluster", cluster) for cluster in clusters}
    whole = figures.series("visitor_wait")
    rows = [
        Row(
            Cell("month", total.period),
            [*(cell(by[cluster][place], shows_met=True) for cluster in clusters), count(total.denominator)],
            total.complete,
        )
        for place, total in enumerate(whole)
    ]
    return Table(
        "Bezoekerswachttijd",
        "Gemiddelde wachttijd na het geplande startuur per maand en activiteitcluster, in minuten",
        ["Maand", *(_headed(figures, cluster) for cluster in clusters), "Bezoeken"],
        rows,
    )


def _headed(figures: Figures, cluster: str) -> str:
    norms = figures.norms_of("visitor_wait", dimension=cluster)
    limits = dutch.listed([f"{words.OPERATORS[one.operator]} {dutch.plain(one.value)}" for one in norms])
    return f"{words.dimension(cluster)} ({limits})" if limits else words.dimension(cluster)


def lead_time(figures: Figures) -> Table:
    """The lead time by month, and by booking channel beside it."""
    channels = [one.channel for one in figures.channels]
    by = {one: figures.series("lead_time", "headline", "booking_channel", one) for one in channels}
    rows = [
        Row(
            Cell("month", total.period),
            [
                cell(total, shows_met=True),
                met(total),
                count(total.denominator),
                *(cell(by[channel][place]) for channel in channels),
            ],
            total.complete,
        )
        for place, total in enumerate(figures.series("lead_time"))
    ]
    return Table(
        "Wachttijd tot afspraak",
        "Gemiddeld aantal werkdagen tot de afspraak, per maand van boeking en per boekingskanaal",
        ["Maand", "Werkdagen", "Norm gehaald", "Afspraken", *map(words.dimension, channels)],
        rows,
    )


def lead_time_by_channel(figures: Figures) -> Table:
    """The lead time by booking channel over the whole range."""
    rows = [
        Row(
            Cell("text", words.dimension(one.channel)),
            [Cell("working_days", one.mean_working_days, words.NO_VALUE["no_appointments"]), count(one.appointments)],
            one.complete,
        )
        for one in figures.channels
    ]
    return Table(
        "Per boekingskanaal",
        "Gemiddeld aantal werkdagen tot de afspraak per boekingskanaal, over de hele periode",
        ["Boekingskanaal", "Werkdagen", "Afspraken"],
        rows,
    )


def files(figures: Figures) -> Table:
    """What was read of every source, and the one state in which every record is."""
    lines = {
        "Ingelezen bestanden": [one.loaded for one in figures.files],
        "Later opnieuw geleverd": [one.replaced for one in figures.files],
        "Geweigerd of uitgesteld": [one.refused + one.deferred for one in figures.files],
        "Registraties": [one.records for one in figures.files],
        "waarvan aanvaard": [one.accepted for one in figures.files],
        "waarvan uitgesloten": [one.excluded for one in figures.files],
        "waarvan dubbel": [one.duplicates for one in figures.files],
        "waarvan vervangen": [one.superseded for one in figures.files],
        "waarvan onleesbaar": [one.quarantined for one in figures.files],
    }
    return Table(
        "Bestanden",
        "Uitvoerbestanden tot dusver, en in welke ene toestand elke registratie is",
        ["Toestand", *(one.source for one in figures.files)],
        [Row(Cell("text", name), [count(amount) for amount in amounts]) for name, amounts in lines.items()],
        has_periods=False,
    )


def restated(figures: Figures, zone: ZoneInfo) -> Table:
    """Figures that changed after they were complete."""
    rows = [
        Row(
            Cell("text", dutch.day(one.restated_at_utc.replace(tzinfo=UTC).astimezone(zone))),
            [
                Cell("text", _named(one.indicator, one.variant, one.dimension)),
                Cell("text", str(one.period.year) if one.period_type == "year" else dutch.month(one.period)),
                # as many places as it takes to tell the two apart
                Cell(_kind(one.unit), one.old_value, norm=_exact(one.new_value)),
                Cell(_kind(one.unit), one.new_value, norm=_exact(one.old_value)),
                Cell("text", words.because(one.why)),
            ],
        )
        for one in figures.restated
    ]
    return Table(
        "Herziene cijfers",
        "Cijfers die veranderden nadat ze als volledig gepubliceerd waren",
        ["Herzien op", "Indicator", "Periode", "Was", "Is", "Waarom"],
        rows,
        has_periods=False,
    )


def _exact(value: float | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _named(indicator: str, variant: str, dimension: str) -> str:
    parts = [words.DEFINITIONS[indicator].short, "" if dimension == "all" else words.dimension(dimension)]
    return ", ".join(filter(None, [*parts, words.VARIANTS.get(variant, variant)]))


def _by_period(figures: list[Figure], indicator: str) -> dict[date, dict[str, Figure]]:
    """The variants of an indicator, all of its dimensions together, by period."""
    found: dict[date, dict[str, Figure]] = {}
    for figure in figures:
        if figure.indicator == indicator and figure.dimension_type == "all":
            found.setdefault(figure.period, {})[figure.variant] = figure
    return found
