"""Draws the figures as SVG, once wide and once narrow, each with its text alternative. Nothing measured: no chart.

One accent colour for what counts, greys for the rest; values are written at what they belong to. Texts stay text, and
the same figures make the same bytes. Imported only when a report is made, for matplotlib is slow to import. Does not
belong here: which figures there are (`figures`), and the page around them (`sheet`).
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from assets.report import dutch, words
from assets.report.figures import Figure, Figures

ACCENT = "#0b5567"
INK = "#1f2426"
GREY = "#5b6366"
LIGHT = "#9aa2a5"
GRID = "#e3e6e7"
SHADES = [ACCENT, "#7fa6ae", "#a9b4b7", "#c3cacc", "#d8dcdd", "#e8eaeb"]
FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
WIDE, NARROW = 720, 340
SIZE = 12
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "kcc-marts",
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": LIGHT,
    "axes.linewidth": 1,
    "axes.labelcolor": GREY,
    "axes.unicode_minus": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.solid_capstyle": "round",
    "figure.dpi": 72,
}
"""A point is a pixel: of 720 in the wide drawing, of 340 in the narrow one."""


@dataclass(frozen=True)
class Chart:
    """A chart as the page takes it in: both drawings, each a complete SVG."""

    wide: Markup
    narrow: Markup
    alternative: str


@dataclass(frozen=True)
class Margins:
    """Room around what is drawn, in pixels."""

    left: float = 42
    right: float = 34
    top: float = 26
    bottom: float = 40


def _drawn(name: str, alternative: str, height: tuple[float, float], draw: Callable[[Drawing, bool], None]) -> Chart:
    """Draw both. `draw` gets the drawing and whether it is the narrow one."""
    both = []
    for narrow in (False, True):
        with mpl.rc_context(STYLE), warnings.catch_warnings():  # type: ignore[arg-type]
            warnings.filterwarnings("ignore", message="Glyph")  # the reader's font has what ours lacks
            drawing = Drawing(figsize=((NARROW if narrow else WIDE) / 72, height[narrow] / 72))
            drawing.patch.set_alpha(0)
            draw(drawing, narrow)
            stream = io.StringIO()
            none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            drawing.savefig(stream, format="svg", metadata=none)
        both.append(_inline(stream.getvalue(), f"{name}-{'narrow' if narrow else 'wide'}", narrow, alternative))
    return Chart(both[0], both[1], alternative)


def _inline(svg: str, name: str, narrow: bool, alternative: str) -> Markup:
    """The drawing as a part of a page: with names of its own, the page's font, and no style that reaches further."""
    svg = svg[svg.index("<svg") :]
    box = re.search(r'viewBox="([^"]*)"', svg)
    body = svg[svg.index(">") + 1 :]
    body = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r' id="([^"]*)"', rf' id="{name}-\1"', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = body.replace("'DejaVu Sans'", FONT.replace('"', "'"))
    return Markup(  # noqa: S704 - our own drawing; matplotlib escapes the texts in it
        f'<svg class="{"narrow" if narrow else "wide"}" role="img" aria-label="{escape(alternative)}" '
        f'viewBox="{box[1] if box else ""}" stroke-linejoin="round" xmlns:xlink="http://www.w3.org/1999/xlink">{body}'
    )


def _axes(drawing: Drawing, margins: Margins, place: tuple[int, int, int, int] = (0, 0, 1, 1)) -> Axes:
    """Axes with margins in pixels, in one cell of a grid: column, row, columns, rows."""
    column, row, columns, rows = place
    width, height = drawing.get_figwidth() * 72, drawing.get_figheight() * 72
    wide, high = width / columns, height / rows
    left, bottom = column * wide + margins.left, height - (row + 1) * high + margins.bottom
    axes = drawing.add_axes(
        (
            left / width,
            bottom / height,
            (wide - margins.left - margins.right) / width,
            (high - margins.top - margins.bottom) / height,
        )
    )
    axes.patch.set_alpha(0)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return axes


def _y(axes: Axes, top: float, unit: str = "", ticks: int = 4) -> None:
    """A few quiet lines, and the unit at the highest."""
    from matplotlib.ticker import MaxNLocator

    places = [float(value) for value in MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top)]
    places = [value for value in places if value <= top]
    decimals = 0 if all(value == int(value) for value in places) else 1
    labels = [dutch.number(value, decimals) for value in places]
    labels[-1] = f"{labels[-1]}{unit}"
    axes.set_ylim(0, top)
    axes.set_yticks(places, labels)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)


def _months(axes: Axes, periods: Sequence[date], narrow: bool) -> None:
    """The months below, the year at January where there are several."""
    several = len({period.year for period in periods}) > 1
    step = max(1, -(-len(periods) // (6 if narrow and several else 13)))
    places, labels = [], []
    for place, period in enumerate(periods):
        if place % step:
            continue
        name = dutch.SHORT_MONTHS[period.month - 1]
        if narrow and step == 1:
            name = name[0]
        if several and (place == 0 or period.year != periods[place - step].year):
            name = f"{name}\n{period.year}"
        places.append(place)
        labels.append(name)
    axes.set_xticks(places, labels)
    axes.set_xlim(-0.6, len(periods) - 0.4)


def _top(values: Sequence[float], room: float = 1.18) -> float:
    return (max(values, default=0) or 1) * room


def _values(figures: Sequence[Figure]) -> list[float]:
    return [figure.value for figure in figures if figure.value is not None]


def _line(axes: Axes, figures: Sequence[Figure], colour: str, label: Literal["all", "telling", "extremes"]) -> None:
    """A line with a dot a month: a hollow one where the month is not complete. Nothing measured leaves a gap.

    Values are written at all dots, at the extremes and the newest, or at the extremes alone.
    """
    values = [float("nan") if figure.value is None else figure.value for figure in figures]
    axes.plot(range(len(values)), values, color=colour, linewidth=2, zorder=3)
    known = _values(figures)
    for place, figure in enumerate(figures):
        if figure.value is None:
            continue
        face = colour if figure.complete else "white"
        axes.plot([place], [figure.value], "o", color=colour, markerfacecolor=face, markersize=5.5, zorder=4)
        is_extreme = figure.value in (max(known), min(known))
        if is_extreme or label == "all" or (label == "telling" and place == len(figures) - 1):
            above = _has_room_above(axes, figures, place)
            axes.annotate(
                dutch.number(figure.value, 1, figure.norm_value) + ("" if figure.complete else "*"),
                (place, figure.value),
                xytext=(0, 8 if above else -9),
                textcoords="offset points",
                ha="center",
                va="bottom" if above else "top",
                fontsize=SIZE - 1,
                color=colour if colour == ACCENT else GREY,
                weight="bold" if figure.norm_met is False else "normal",
                bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none"},
                zorder=5,
            )


def _has_room_above(axes: Axes, figures: Sequence[Figure], place: int) -> bool:
    """Whether a value is written above its dot: away from the axis, its norm and the line to its neighbours."""
    value, room = figures[place].value or 0.0, 0.15 * axes.get_ylim()[1]
    norm = figures[place].norm_value
    if value < room:
        return True
    if norm is not None and abs(float(norm) - value) < room:
        return value > float(norm)
    beside = _values(figures[max(0, place - 1) : place + 2])
    return value >= sum(beside) / len(beside)


def _labels(figures: Sequence[Figure], narrow: bool) -> Literal["all", "telling"]:
    return "telling" if narrow or len(figures) > 13 else "all"


def _norm_line(axes: Axes, figures: Sequence[Figure], unit: str) -> None:
    """The norm of every period as a dashed line, named above the chart."""
    norms = [float("nan") if one.norm_value is None else float(one.norm_value) for one in figures]
    edges = [place + side for place in range(len(norms)) for side in (-0.5, 0.5)]
    axes.plot(edges, [norm for norm in norms for _ in (0, 1)], color=INK, linewidth=1.2, dashes=(4, 3), zorder=2)
    axes.annotate(
        _norm_label(figures, unit),
        (1, 1),
        xycoords="axes fraction",
        xytext=(0, 8),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SIZE - 1,
        color=INK,
    )


def _norm_label(figures: Sequence[Figure], short: str) -> str:
    newest = next((one for one in reversed(figures) if one.norm_value is not None), None)
    if newest is None or newest.norm_value is None or newest.norm_operator is None:
        return "zonder norm"
    return f"╌╌ norm {words.OPERATORS[newest.norm_operator]} {dutch.plain(newest.norm_value)}{dutch.BLANK}{short}"


def _told(figures: Sequence[Figure]) -> str:
    """The highest and the lowest month, for who does not see the chart."""
    known = [figure for figure in figures if figure.value is not None]
    if not known:
        return "geen cijfers"
    lowest = min(known, key=lambda one: one.value or 0)
    highest = max(known, key=lambda one: one.value or 0)
    written = [
        f"{dutch.number(one.value or 0, 2, one.norm_value)} in {dutch.month(one.period)}" for one in (lowest, highest)
    ]
    return f"laagst {written[0]}, hoogst {written[1]}"


def telephone_wait(figures: Figures) -> Chart | None:
    """The mean wait by month against 45 seconds."""
    series = figures.series("telephone_wait")
    if not _values(series):
        return None

    def draw(drawing: Drawing, narrow: bool) -> None:
        axes = _axes(drawing, Margins())
        norms = [float(one.norm_value) for one in series if one.norm_value is not None]
        _y(axes, _top([*_values(series), *norms]), f"{dutch.BLANK}s")
        _months(axes, [one.period for one in series], narrow)
        _norm_line(axes, series, "s")
        _line(axes, series, ACCENT, _labels(series, narrow))

    alternative = f"Lijngrafiek: gemiddelde wachttijd in seconden per maand; {_told(series)}."
    return _drawn("wacht", alternative, (282, 250), draw)


def missed_by_month(figures: Figures) -> Chart | None:
    """Reported and corrected missed calls by month, named at their ends."""
    corrected = figures.series("missed_calls")
    compared = {one.period for one in corrected if one.value is not None}
    reported = [
        one if one.period in compared else replace(one, value=None)  # of closed days alone all is "missed"
        for one in figures.series("missed_calls", "reported")
    ]
    if not compared:
        return None

    def draw(drawing: Drawing, narrow: bool) -> None:
        axes = _axes(drawing, Margins(right=64))
        _y(axes, _top([*_values(reported), *_values(corrected)]), f"{dutch.BLANK}%")
        _months(axes, [one.period for one in corrected], narrow)
        _line(axes, reported, LIGHT, _labels(reported, narrow))
        _line(axes, corrected, ACCENT, _labels(corrected, narrow))
        for series, name, colour in ((reported, "gemeld", GREY), (corrected, "verbeterd", ACCENT)):
            for place, value in [(place, one.value) for place, one in enumerate(series) if one.value is not None][-1:]:
                axes.annotate(
                    name, (place, value), xytext=(10, 0), textcoords="offset points", va="center", color=colour,
                    weight="bold", fontsize=SIZE,
                )  # fmt: skip

    alternative = (
        "Lijngrafiek: gemiste oproepen in % per maand. Zoals de software meldt: "
        f"{_told(reported)}. Verbeterd: {_told(corrected)}."
    )
    return _drawn("gemist-maand", alternative, (282, 262), draw)


def missed_by_year(figures: Figures) -> Chart | None:
    """Missed calls by year: ours, and apart from them what was published before."""
    corrected = [one for one in figures.yearly("missed_calls") if one.value is not None]
    reported = {one.period: one for one in figures.yearly("missed_calls", "reported")}
    before = [one for one in figures.history if one.year < figures.range.last.year]
    if not before and not corrected:
        return None

    def draw(drawing: Drawing, narrow: bool) -> None:
        axes = _axes(drawing, Margins(top=30, bottom=58 if narrow else 46))
        gap = 0.8 if before and corrected else 0.0
        ours = [len(before) + gap + place * 1.25 for place in range(len(corrected))]
        tops = (
            [float(one.value) for one in before]
            + _values(corrected)
            + _values([reported[one.period] for one in corrected if one.period in reported])
        )
        norms = [float(one.norm_value) for one in corrected if one.norm_value is not None]
        _y(axes, _top([*tops, *norms], 1.12), f"{dutch.BLANK}%")
        size = SIZE - (2.5 if narrow else 1)
        for place, old in enumerate(before):
            height = float(old.value)
            axes.bar(place, height, 0.66, color="#eef0f0", edgecolor=LIGHT, linewidth=1, zorder=2)
            written = dutch.number(old.value, 1 if narrow else 2)
            axes.text(place, height, written, ha="center", va="bottom", fontsize=size, color=GREY)
        for at, one in zip(ours, corrected, strict=True):
            told = reported.get(one.period)
            if told is not None and told.value is not None:
                axes.bar(at - 0.28, told.value, 0.5, color="#c9cfd1", zorder=2)
                axes.text(
                    at - 0.28, told.value, dutch.number(told.value, 1 if narrow else 2),
                    ha="center", va="bottom", fontsize=size, color=GREY,
                )  # fmt: skip
            if one.value is not None:
                axes.bar(
                    at + 0.28, one.value, 0.5, zorder=2,
                    color=ACCENT if one.complete else "white", edgecolor=ACCENT, linewidth=1.5,
                )  # fmt: skip
                axes.text(
                    at + 0.28, one.value, dutch.number(one.value, 1 if narrow else 2, one.norm_value),
                    ha="center", va="bottom", fontsize=size, color=ACCENT, weight="bold",
                )  # fmt: skip
        labels = [f"'{one.year % 100:02d}" if narrow else str(one.year) for one in before]
        labels += [f"{one.period.year}{'' if one.complete else '*'}" for one in corrected]
        axes.set_xticks([*range(len(before)), *ours], labels)
        right = (ours[-1] if ours else len(before)) + 0.7
        axes.set_xlim(-0.6, right)
        if norms:
            axes.plot([-0.6, right], [norms[-1]] * 2, color=INK, linewidth=1.2, dashes=(4, 3), zorder=1)
            axes.annotate(
                _norm_label(corrected, "%"), (-0.6, norms[-1]), xytext=(0, 4), textcoords="offset points",
                fontsize=SIZE - 1,
            )  # fmt: skip
        below = axes.get_xaxis_transform()
        breaks = "\n" if narrow else " "
        if before:
            name = f"eerder gepubliceerd,{breaks}niet herberekenbaar"
            axes.text((len(before) - 1) / 2, -0.13, name, ha="center", va="top", color=GREY, transform=below,
                      fontsize=size)  # fmt: skip
        if ours:
            axes.text(sum(ours) / len(ours), -0.13, f"gemeld |{breaks}verbeterd", ha="center", va="top", color=ACCENT,
                      transform=below, fontsize=size)  # fmt: skip

    told = [
        f"{one.period.year}: {dutch.number(one.value or 0, 2, one.norm_value)} % verbeterd"
        + (f", {dutch.number(there.value, 2)} % zoals de software meldt" if there and there.value is not None else "")
        for one in corrected
        for there in [reported.get(one.period)]
    ]
    published = [f"{one.year} {dutch.number(one.value, 2)} %" for one in before]
    alternative = (
        f"Staafgrafiek: gemiste oproepen per jaar. {'; '.join(told) or 'Geen eigen cijfers'}. "
        + (f"Eerder gepubliceerd: {', '.join(published)}." if published else "")
    ).strip()
    return _drawn("gemist-jaar", alternative, (290, 260), draw)


def bridge(figures: Figures) -> Chart | None:
    """The waterfall from what the software calls missed to what was; steps of nothing are left to the table."""
    ends = ("reported_missed", "corrected_missed")
    steps = [one for one in figures.bridge if one.records or one.step in ends]
    if not any(one.records for one in steps):
        return None

    def draw(drawing: Drawing, narrow: bool) -> None:
        axes = _axes(drawing, Margins(left=4 if narrow else 268, right=52, top=6, bottom=6))
        most, stands = 1, 0
        for place, one in enumerate(steps):
            if one.step in ends:
                left, width, stands = 0, one.records, one.records
                colour = ACCENT if one.step == "corrected_missed" else GREY
            else:
                left, width, colour = min(stands, stands + one.records), abs(one.records), "#b4bcbf"
                stands += one.records
            axes.barh(place, width, 0.42 if narrow else 0.62, left=left, color=colour, zorder=2)
            most = max(most, left + width)
            if place < len(steps) - 1:
                axes.plot([stands, stands], [place, place + 1], color=LIGHT, linewidth=0.8, zorder=1)
            is_end = one.step in ends
            axes.annotate(
                dutch.number(one.records) if is_end else dutch.signed(one.records), (left + width, place),
                xytext=(5, 0), textcoords="offset points", va="center", fontsize=SIZE - 1,
                weight="bold" if is_end else "normal", color=colour if is_end else INK,
            )  # fmt: skip
            if narrow:
                axes.annotate(words.STEPS[one.step], (0, place - 0.36), va="bottom", fontsize=SIZE - 1, color=INK)
        if narrow:
            axes.set_yticks([])
        else:
            axes.set_yticks(range(len(steps)), [words.STEPS[one.step] for one in steps])
            axes.tick_params(axis="y", labelcolor=INK, pad=8)
        axes.set_xticks([])
        axes.set_xlim(0, most)
        axes.set_ylim(len(steps) - 0.5, -0.8 if narrow else -0.5)
        axes.spines["bottom"].set_visible(False)

    told = [f"{words.STEPS[one.step]}: {dutch.number(one.records)}" for one in steps]
    alternative = f"Watervalgrafiek in aantal oproepen. {'; '.join(told)}."
    return _drawn("brug", alternative, (30 * len(steps) + 12, 42 * len(steps) + 20), draw)


def answer_speed(figures: Figures) -> Chart | None:
    """Answered calls by bucket, stacked by month, with the line that the first bucket must reach."""
    by = [figures.series("answer_speed", "headline", "speed_bucket", bucket) for bucket in words.BUCKETS]
    first = by[0]
    if not _values(first):
        return None

    def draw(drawing: Drawing, narrow: bool) -> None:
        axes = _axes(drawing, Margins(right=46, top=64 if narrow else 46))
        _y(axes, 100, f"{dutch.BLANK}%", 5)
        _months(axes, [one.period for one in first], narrow)
        bottoms = [0.0] * len(first)
        for series, colour in zip(by, SHADES, strict=True):
            heights = [one.value or 0.0 for one in series]
            axes.bar(
                range(len(series)), heights, 0.74, bottoms, color=colour, edgecolor="white", linewidth=0.6, zorder=2
            )
            bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
        if len(first) <= 13:
            for place, one in enumerate(first):
                if one.value is not None:
                    written = dutch.number(one.value, 0 if narrow else 1, one.norm_value)
                    weight = "bold" if one.norm_met is False else "normal"
                    axes.text(place, 3, written + ("" if one.complete else "*"), ha="center", color="white", zorder=5,
                              fontsize=SIZE - (2 if narrow else 1), weight=weight)  # fmt: skip
        norms = [one.norm_value for one in first]
        for place, value in enumerate(norms):
            if value is not None:
                axes.plot([place - 0.5, place + 0.5], [float(value)] * 2, color="white", linewidth=4, zorder=3)
                axes.plot([place - 0.5, place + 0.5], [float(value)] * 2, color=INK, linewidth=1.4, zorder=4)
        if (newest := next((value for value in reversed(norms) if value is not None), None)) is not None:
            axes.annotate(
                f"{dutch.plain(newest)}{dutch.BLANK}%", (1, float(newest)), xycoords=("axes fraction", "data"),
                xytext=(3, 0), textcoords="offset points", va="center", fontsize=SIZE, color=INK, weight="bold",
            )  # fmt: skip
        across = 3 if narrow else 6
        for place, (bucket, colour) in enumerate(zip(words.BUCKETS, SHADES, strict=True)):
            x = (place % across) * (88 if narrow else 104)
            y = 14 + (18 if narrow and place < across else 0)
            axes.annotate("■", (0, 1), xycoords="axes fraction", xytext=(x, y), textcoords="offset points",
                          color=colour, fontsize=SIZE + 2)  # fmt: skip
            axes.annotate(f"{bucket}{dutch.BLANK}s", (0, 1), xycoords="axes fraction", xytext=(x + 16, y + 1),
                          textcoords="offset points", fontsize=SIZE, color=INK)  # fmt: skip

    alternative = (
        "Gestapelde staafgrafiek: beantwoorde oproepen naar wachttijd, in % per maand. "
        f"Binnen 30 seconden: {_told(first)}."
    )
    return _drawn("snelheid", alternative, (330, 330), draw)


def visitor_wait(figures: Figures) -> Chart | None:
    """A small chart for each cluster, each against its own norm."""
    clusters = figures.dimensions("visitor_wait", "cluster")
    by = {name: figures.series("visitor_wait", "headline", "cluster", name) for name in clusters}
    by = {name: series for name, series in by.items() if _values(series)}
    if not by:
        return None

    def draw(drawing: Drawing, narrow: bool) -> None:
        columns = 1 if narrow else 3
        rows = max(1, -(-len(by) // columns))
        for place, (name, series) in enumerate(by.items()):
            where = (place % columns, place // columns, columns, rows)
            axes = _axes(drawing, Margins(left=32, right=16, top=42, bottom=36), where)
            norms = [float(one.norm_value) for one in series if one.norm_value is not None]
            _y(axes, _top([*_values(series), *norms], 1.25), ticks=3)
            _months(axes, [one.period for one in series], narrow=True)
            _norm_line(axes, series, "min")
            _line(axes, series, ACCENT, "extremes")
            axes.annotate(
                _shortened(words.dimension(name)),
                (0, 1),
                xycoords="axes fraction",
                xytext=(-28, 8),
                textcoords="offset points",
                weight="bold",
                fontsize=SIZE,
            )

    columns = -(-len(by) // 3) or 1
    told = [f"{words.dimension(name)}: {_told(series)}" for name, series in by.items()]
    alternative = f"Lijngrafieken: gemiddelde wachttijd in minuten per maand. {'; '.join(told) or 'Geen cijfers'}."
    return _drawn("bezoek", alternative, (196 * columns, 172 * max(1, len(by))), draw)


def _shortened(name: str, most: int = 20) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def lead_time(figures: Figures) -> Chart | None:
    """The lead time by month against 5 working days."""
    series = figures.series("lead_time")
    if not _values(series):
        return None

    def draw(drawing: Drawing, narrow: bool) -> None:
        axes = _axes(drawing, Margins())
        norms = [float(one.norm_value) for one in series if one.norm_value is not None]
        _y(axes, _top([*_values(series), *norms], 1.2))
        _months(axes, [one.period for one in series], narrow)
        _norm_line(axes, series, "werkdagen")
        _line(axes, series, ACCENT, _labels(series, narrow))

    alternative = f"Lijngrafiek: gemiddeld aantal werkdagen tot de afspraak, per maand van boeking; {_told(series)}."
    return _drawn("afspraak", alternative, (252, 240), draw)


def lead_time_by_channel(figures: Figures) -> Chart | None:
    """The lead time by booking channel over the whole range, against the newest norm."""
    channels = [one for one in figures.channels if one.mean_working_days is not None]
    if not channels:
        return None
    norms = figures.norms_of("lead_time")

    def draw(drawing: Drawing, narrow: bool) -> None:
        axes = _axes(drawing, Margins(left=4 if narrow else 160, right=52, top=20 if narrow else 18, bottom=4))
        values = [one.mean_working_days or 0.0 for one in channels]
        most = max([*values, *(float(one.value) for one in norms)] or [1])
        for place, one in enumerate(channels):
            value = one.mean_working_days or 0.0
            axes.barh(place, value, 0.34 if narrow else 0.55, color=ACCENT, zorder=2)
            axes.annotate(
                dutch.number(value, 2) + ("" if one.complete else "*"), (value, place), xytext=(5, 0),
                textcoords="offset points", va="center", fontsize=SIZE - 1, color=ACCENT, weight="bold",
                bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}, zorder=4,
            )  # fmt: skip
            if narrow:
                name = _shortened(words.dimension(one.channel), 40)
                axes.annotate(name, (0, place - 0.28), va="bottom", fontsize=SIZE - 1)
        axes.set_xlim(0, most * 1.05)
        axes.set_ylim(max(1, len(channels)) - 0.5, -0.75 if narrow else -0.5)
        axes.set_xticks([])
        names = [] if narrow else [_shortened(words.dimension(one.channel)) for one in channels]
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", labelcolor=INK, pad=8)
        axes.spines["bottom"].set_visible(False)
        if norms:
            newest = float(norms[-1].value)
            axes.axvline(newest, color=INK, linewidth=1.2, dashes=(4, 3), zorder=3)
            axes.annotate(
                f"norm {words.OPERATORS[norms[-1].operator]} {dutch.plain(norms[-1].value)}", (newest, 1),
                xycoords=("data", "axes fraction"), xytext=(0, 4), textcoords="offset points", ha="right",
                fontsize=SIZE - 1,
            )  # fmt: skip

    told = [f"{words.dimension(one.channel)} {dutch.number(one.mean_working_days or 0, 2)}" for one in channels]
    alternative = f"Staafgrafiek: gemiddeld aantal werkdagen per boekingskanaal. {', '.join(told) or 'Geen cijfers'}."
    height = max(1, len(channels))
    return _drawn("kanaal", alternative, (30 * height + 24, 42 * height + 24), draw)
