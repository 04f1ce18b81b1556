"""Writes the sheet as one page of HTML that needs nothing but itself: no network, no script.

Belongs here: in which order what is told, and the notes around the figures. Does not belong here: the figures of a
table (`tables`), how they are drawn (`charts`), and the look of the page (`sheet.html.j2`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assets.report import charts, dutch, tables, words
from assets.report.charts import Chart
from assets.report.figures import Figures, Met, Norm, Range
from assets.report.tables import Table
from pipelines.settings import Settings


@dataclass(frozen=True)
class Part:
    """A chart and the table behind it; either may be missing."""

    title: str
    table: Table | None = None
    chart: Chart | None = None
    key: str = ""
    """A sentence below the chart: what its marks mean."""


@dataclass(frozen=True)
class Section:
    """An indicator: what it is, and its charts and tables."""

    definition: words.Definition
    norms: list[str]
    source: str
    parts: list[Part]
    warning: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Glance:
    """A line of the summary: an indicator, its norm, the year's figure, and how often it kept the norm."""

    anchor: str
    name: str
    norm: str
    figure: str
    kept: str
    is_kept: bool | None


HOLLOW = "Open bolletje en *: nog niet volledig."
MINUTES_ONLY = (
    "De geplande en werkelijke starturen zijn enkel tot op de minuut gekend: "
    "elke wachttijd is juist tot op ±59 seconden."
)


def period_in_words(months: Range) -> str:
    """2025; maart 2025; januari 2025 tot en met juni 2025."""
    if months.year:
        return str(months.year)
    first, last = dutch.month(months.first), dutch.month(months.last)
    return first if first == last else f"{first} tot en met {last}"


def page(figures: Figures, settings: Settings) -> str:
    """The whole page."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"day": dutch.day, "month": dutch.month, "number": dutch.number}
    zone = ZoneInfo(settings.centre.time_zone)

    def local(moment: datetime) -> datetime:
        return moment.replace(tzinfo=UTC).astimezone(zone)

    published = figures.publication
    return templates.get_template("sheet.html.j2").render(
        city=settings.centre.name,
        period=period_in_words(figures.range),
        figures=figures,
        plan=settings.action_plan,
        money=Part("Geld", tables.money(settings.action_plan)) if settings.action_plan.money else None,
        glance=_glance(figures),
        sections=_sections(figures, settings) if figures.has_data else [],
        files=Part("Ingelezen bestanden", tables.files(figures)),
        restated=Part("Herziene cijfers", tables.restated(figures, zone)) if figures.restated else None,
        incomplete=[(dutch.month(one.period), _names(one.indicators)) for one in figures.incomplete],
        warnings=_warnings(figures),
        statuses=words.STATUSES,
        doubts=_doubts(figures),
        published=dutch.moment(local(published.published_at_utc)),
        as_of=dutch.moment(local(published.as_of_utc)) if published.as_of_utc else None,
        not_met=tables.NOT_MET,
        definitions=words.DEFINITIONS,
    )


def _key(figures: Figures, indicator: str, incomplete: str, always: str = "") -> str:
    """What the marks of a chart mean, where it has any."""
    has_marks = any(indicator in one.indicators for one in figures.incomplete)
    return " ".join(filter(None, [always, incomplete if has_marks else ""]))


def _names(indicators: list[str]) -> str:
    return dutch.listed([one.short.lower() for key, one in words.DEFINITIONS.items() if key in indicators])


def _sections(figures: Figures, settings: Settings) -> list[Section]:
    calls = _source(settings, "calls", figures)
    visits = _source(settings, "appointments", figures)
    return [
        Section(
            words.VISITOR_WAIT,
            _norms(figures, "visitor_wait", "minutes"),
            visits,
            [
                Part(
                    "Per activiteitcluster",
                    tables.visitor_wait(figures),
                    charts.visitor_wait(figures),
                    _key(figures, "visitor_wait", HOLLOW),
                )
            ],
            notes=[MINUTES_ONLY] if figures.whole_minutes else [],
        ),
        Section(
            words.TELEPHONE_WAIT,
            _norms(figures, "telephone_wait", "seconds"),
            calls,
            [
                Part(
                    "Per maand",
                    tables.telephone_wait(figures),
                    charts.telephone_wait(figures),
                    _key(figures, "telephone_wait", HOLLOW),
                )
            ],
            notes=[*_lower_bounds(figures, "telephone_wait"), *_two_readings(figures)],
        ),
        Section(
            words.ANSWER_SPEED,
            [
                f"{one} van de oproepen wordt binnen de 30 seconden beantwoord"
                for one in _norms(figures, "answer_speed", "percent")
            ],
            calls,
            [
                Part(
                    "Per maand",
                    tables.answer_speed(figures),
                    charts.answer_speed(figures),
                    _key(
                        figures, "answer_speed", "*: nog niet volledig.", "In de balk: het aandeel binnen 30 seconden."
                    ),
                )
            ],
            notes=_lower_bounds(figures, "answer_speed"),
        ),
        Section(
            words.MISSED_CALLS,
            _norms(figures, "missed_calls", "percent"),
            calls,
            [
                Part(
                    "Per jaar",
                    tables.missed_by_year(figures),
                    charts.missed_by_year(figures),
                    ""
                    if all(one.complete for one in figures.yearly("missed_calls"))
                    else "Open balk en *: nog niet volledig.",
                ),
                *([Part("Eerder gepubliceerd", tables.history(figures))] if figures.history else []),
                Part("Van gemeld naar verbeterd", tables.bridge(figures), charts.bridge(figures)),
                Part(
                    "Per maand",
                    tables.missed_by_month(figures),
                    charts.missed_by_month(figures),
                    _key(figures, "missed_calls", HOLLOW),
                ),
            ],
            warning=(
                "Door een softwarefout worden ook oproepen die vóór en na de openingstijden van het "
                "klantencontactcentrum worden gedaan, geregistreerd als gemiste oproepen."
            ),
        ),
        Section(
            words.LEAD_TIME,
            _norms(figures, "lead_time", "working_days"),
            visits,
            [
                Part(
                    "Per maand",
                    tables.lead_time(figures),
                    charts.lead_time(figures),
                    _key(figures, "lead_time", HOLLOW),
                ),
                Part(
                    "Per boekingskanaal",
                    tables.lead_time_by_channel(figures),
                    charts.lead_time_by_channel(figures),
                    _key(figures, "lead_time", "*: met maanden die nog niet volledig zijn."),
                ),
            ],
        ),
    ]


def _source(settings: Settings, kind: str, figures: Figures) -> str:
    told = {one.name for one in settings.sources if one.kind == kind}
    files = [one for one in figures.files if one.source in told and one.newest_export_at_utc is not None]
    if not files:
        return settings.centre.name
    what = "het telefoniesysteem" if kind == "calls" else "de afsprakenmodule"
    names = dutch.listed([f"‘{one.source}’" for one in files])
    zone = ZoneInfo(settings.centre.time_zone)
    newest = max(one.newest_export_at_utc for one in files if one.newest_export_at_utc is not None)
    until = dutch.day(newest.replace(tzinfo=UTC).astimezone(zone))
    return (
        f"{settings.centre.name}, uitvoer van {what} ({'bron' if len(files) == 1 else 'bronnen'} {names}), "
        f"stand van {until}"
    )


def _norms(figures: Figures, indicator: str, unit: str) -> list[str]:
    return [
        _norm(figures, one, unit)
        for variant in ("headline", "action_plan")
        for one in figures.norms_of(indicator, variant)
    ]


def _norm(figures: Figures, norm: Norm, unit: str) -> str:
    is_one_of_many = norm.dimension not in ("all", words.BUCKETS[0])
    name = f"{words.dimension(norm.dimension)}: " if is_one_of_many else ""
    reading = " (lezing van het actieplan)" if norm.variant == "action_plan" else ""
    since = f", vanaf {dutch.day(norm.valid_from)}" if norm.valid_from > figures.range.first else ""
    until = f", tot en met {dutch.day(norm.valid_to)}" if norm.valid_to < figures.range.last else ""
    return f"{name}{tables.norm(norm.operator, norm.value, unit)}{reading}{since}{until}"


def _lower_bounds(figures: Figures, indicator: str) -> list[str]:
    if not any(one.is_lower_bound and one.value is not None for one in figures.months if one.indicator == indicator):
        return []
    return [
        "Grenzen (≥ en ≤): sommige bronnen kennen de tijd vóór de wachtrij niet. De werkelijke wachttijd is langer, "
        "en het aandeel binnen 30 seconden kleiner; of een norm gehaald is, valt dan niet altijd te bepalen."
    ]


def _two_readings(figures: Figures) -> list[str]:
    if not figures.norms_of("telephone_wait", "action_plan"):
        return []
    return [
        "Het actieplan zegt “tot 45 seconden”, de indicatorenfiche “< 45 seconden”. Beide lezingen staan in de tabel; "
        "ze verschillen enkel bij exact 45 seconden."
    ]


def _glance(figures: Figures) -> list[Glance]:
    met = {(one.indicator, one.variant, one.dimension): one for one in figures.met}
    lines = []
    for norm in _newest_norms(figures):
        definition = words.DEFINITIONS[norm.indicator]
        by = {"visitor_wait": "cluster", "answer_speed": "speed_bucket"}.get(norm.indicator, "all")
        years = [
            one
            for one in figures.yearly(norm.indicator, norm.variant, by, norm.dimension)
            if figures.range.year and one.period.year == figures.range.year
        ]
        year = years[0] if years else None
        unit = year.unit if year else ""
        value = replace(tables.cell(year), norm=norm.value).text if year and year.value is not None else tables.ABSENT
        if year and year.value is not None and unit != "percent":
            value = f"{value}{dutch.BLANK}{words.SHORT_UNITS[unit]}"
        kept, is_kept = _kept(met.get((norm.indicator, norm.variant, norm.dimension)))
        if norm.indicator == "missed_calls" and year is not None:
            is_kept = year.norm_met
            kept = tables.ABSENT if is_kept is None else "ja" if is_kept else "nee"
            if is_kept is not None and not year.complete:
                kept = f"voorlopig {kept}"
        elif norm.indicator == "missed_calls" and figures.range.year is None:
            kept = "enkel per jaar"
        if year and not year.complete and year.value is not None:
            value += " (onvolledig)"
        name = definition.short
        if norm.dimension not in ("all", words.BUCKETS[0]):
            name = f"{name}, {words.dimension(norm.dimension)}"
        if norm.variant == "action_plan":
            name = f"{name}, lezing actieplan"
        lines.append(
            Glance(
                norm.indicator,
                name,
                tables.norm(norm.operator, norm.value, _unit(norm.indicator)),
                value,
                kept,
                is_kept,
            )
        )
    return lines


def _newest_norms(figures: Figures) -> list[Norm]:
    order = list(words.DEFINITIONS)
    newest = {(order.index(one.indicator), one.variant != "headline", one.dimension): one for one in figures.norms}
    return [newest[key] for key in sorted(newest)]


def _unit(indicator: str) -> str:
    units = {
        "missed_calls": "percent",
        "answer_speed": "percent",
        "telephone_wait": "seconds",
        "visitor_wait": "minutes",
    }
    return units.get(indicator, "working_days")


def _kept(met: Met | None) -> tuple[str, bool | None]:
    if met is None or not met.months:
        return tables.ABSENT, None
    incomplete = f", waarvan {met.incomplete} onvolledig" if met.incomplete else ""
    months = "maand" if met.months == 1 else "maanden"
    return f"{met.met} van {met.months} {months}{incomplete}", met.met == met.months


def _warnings(figures: Figures) -> list[tuple[str, str]]:
    """A sentence for every tripwire, and for those that the city accepted its reason."""
    told = []
    for one in figures.warned:
        what = words.WARNINGS[one.tripwire].format(affected=dutch.number(one.affected), total=dutch.number(one.total))
        accepted = ""
        if one.accepted_reason is not None and one.accepted_until is not None:
            accepted = f"Aanvaard tot en met {dutch.day(one.accepted_until)}: {one.accepted_reason}"
        source = "kalender" if one.source == "calendar" else f"bron ‘{one.source}’"
        told.append((f"{dutch.month(one.month)}, {source}: {what}", accepted))
    return told


def _doubts(figures: Figures) -> list[str]:
    """What the marts count beside the figures of calls."""
    marks = figures.marks
    counted = {
        "Nog niet beëindigd toen de uitvoer gemaakt werd, in geen enkel hoofdcijfer": marks.open,
        "Uitgesloten door een benoemde regel (uitgaand, intern, test)": marks.excluded,
        "Beantwoord buiten de openingsuren, in geen enkel hoofdcijfer": marks.outside_hours_answered,
        "Binnengekomen binnen de openingsuren en beëindigd na sluitingstijd; telt mee": marks.ended_after_closing,
        "Binnengekomen vóór openingstijd en erna beantwoord; telt niet mee": marks.spanning_opening,
        "Met een onmogelijke (negatieve) duur; de oproep telt, de duur niet": marks.impossible_durations,
    }
    return [f"{what}: {dutch.number(amount)}" for what, amount in counted.items() if amount]
