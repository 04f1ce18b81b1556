"""The Dutch words and sentences of the sheet: titles and definitions, names of steps, reasons and tripwires.

Definitions follow the city's own indicator sheet to the letter; rules that it leaves open are added in a sentence
of their own and stand in docs/indicators.md. Does not belong here: figures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """How an indicator is introduced: its title, what it measures, how often, and the rules that the city chose."""

    indicator: str
    short: str
    title: str
    definition: str
    frequency: str
    rules: str


VISITOR_WAIT = Definition(
    "visitor_wait",
    "Bezoekerswachttijd",
    "Bezoekerswachttijd per activiteitcluster",
    "Dit betreft de wachttijd tot het starten van de afspraak, vergeleken met en beginnende vanaf het "
    "geplande startuur "
    "van de afspraak: elke minuut die men langer dient te wachten dan het afgesproken aanvangstijdstip.",
    "Maandelijkse meting",
    "Wie vroeger geholpen wordt, telt als 0 minuten. Wie zonder afspraak komt, niet komt opdagen of annuleert, heeft "
    "geen wachttijd. De afspraak telt in de maand waarin ze gepland was.",
)
TELEPHONE_WAIT = Definition(
    "telephone_wait",
    "Telefonische wachttijd",
    "Gemiddelde wachttijd beantwoorde oproepen klantencontactcentrum",
    "Dit betreft de tijd tussen het inbellen door de klant tot het beantwoorden van de oproep door de medewerker van "
    "het klantencontactcentrum.",
    "Maandelijkse meting",
    "Enkel beantwoorde oproepen die binnen de openingsuren binnenkwamen. Het keuzemenu telt mee; de wachttijd in de "
    "wachtrij alleen staat ernaast.",
)
ANSWER_SPEED = Definition(
    "answer_speed",
    "Beantwoord binnen 30 seconden",
    "Percentage beantwoorde oproepen klantencontactcentrum naar snelheidscategorie",
    "Dit betreft het aantal beantwoorde oproepen door het klantencontactcentrum, procentueel verdeeld naar "
    "snelheidscategorie: 0-30, 31-60, 61-90, 91-120, 121-300 en 300+ seconden wachttijd.",
    "Maandelijkse meting",
    "De grenzen gelden op de exacte wachttijd: 30,001 seconden valt in 31-60. Een beantwoorde oproep zonder bruikbare "
    "wachttijd staat buiten de percentages en wordt apart geteld.",
)
MISSED_CALLS = Definition(
    "missed_calls",
    "Gemiste oproepen",
    "Procentueel aandeel gemiste oproepen klantencontactcentrum",
    "Dit betreft het procentueel aantal telefonische oproepen, binnen de openingsuren van het klantencontactcentrum, "
    "die niet werden beantwoord.",
    "Jaarlijkse meting; de maanden staan ernaast",
    "Beantwoord is wat een medewerker beantwoordde; voicemail en keuzemenu zijn geen antwoord. Het tijdstip "
    "van inbellen "
    "bepaalt of een oproep binnen de openingsuren valt. Wie snel inhaakt, heeft toch gebeld en telt mee.",
)
LEAD_TIME = Definition(
    "lead_time",
    "Wachttijd tot een afspraak",
    "Gemiddelde wachttijd tot het verkrijgen van een afspraak",
    "Dit betreft het aantal werkdagen na de dag van boeking, tot en met de eerst geplande dag van de afspraak.",
    "Maandelijkse meting",
    "Een werkdag is een maandag tot vrijdag waarop het loket open is. Geannuleerde afspraken en afspraken die aan het "
    "loket voor dezelfde dag werden gemaakt, tellen niet mee. De afspraak telt in de maand waarin ze geboekt werd.",
)
DEFINITIONS = {one.indicator: one for one in (VISITOR_WAIT, TELEPHONE_WAIT, ANSWER_SPEED, MISSED_CALLS, LEAD_TIME)}
"""In the order of the city's own sheet; the lead time, which has no sheet there, comes last."""

STEPS = {
    "reported_missed": "Door de software als gemist geregistreerd",
    "before_opening": "Vóór de openingsuren",
    "break": "Tijdens de middagpauze",
    "after_closing": "Na de openingsuren",
    "closed_weekday": "Op een sluitingsdag van de week",
    "holiday": "Op een feestdag",
    "closure": "Tijdens een bijzondere sluiting",
    "excluded": "Uitgesloten (uitgaand, intern, test)",
    "open": "Nog niet beëindigd",
    "answered_by_somebody_else": "Door een andere medewerker beantwoord",
    "further_records_of_the_call": "Dubbele registratie van dezelfde oproep",
    "not_answered_by_a_person": "Niet door een medewerker beantwoord",
    "corrected_missed": "Gemist binnen de openingsuren",
}
BUCKETS = ["0-30", "31-60", "61-90", "91-120", "121-300", "300+"]
OPERATORS = {"<": "<", "<=": "≤", ">=": "≥"}
UNITS = {"percent": "%", "seconds": "seconden", "minutes": "minuten", "working_days": "werkdagen"}
ONE = {"seconds": "seconde", "minutes": "minuut", "working_days": "werkdag"}
SHORT_UNITS = {"percent": "%", "seconds": "s", "minutes": "min", "working_days": "werkdagen"}
NO_VALUE = {
    "no_calls": "geen oproepen",
    "no_answered_calls": "geen beantwoorde oproepen met een gekende wachttijd",
    "outside_the_shares": "buiten de percentages",
    "no_visits": "geen bezoeken",
    "no_check_ins": "geen aanmeldingen",
    "no_appointments": "geen afspraken",
}
UNDECIDED = "niet te bepalen"
DIMENSIONS = {"all": "alle", "unmapped": "Geen cluster", "unknown": "Onbekend"}
VARIANTS = {
    "headline": "",
    "action_plan": "lezing van het actieplan",
    "reported": "zoals de software meldt",
    "lowest_possible": "ondergrens",
    "highest_possible": "bovengrens",
    "without_short_abandons": "zonder wie snel inhaakt",
    "all_answered": "op elk uur",
    "queue_wait": "wachtrij alleen",
    "of_offered": "van alle oproepen",
    "arrival_based": "vanaf de aanmelding",
    "served_early": "vroeger geholpen",
    "last_planned": "tot de laatst geplande dag",
    "cancelled": "geannuleerde",
    "desk_same_day": "aan het loket voor dezelfde dag",
}
WARNINGS = {
    "answered_outside_hours": "beantwoorde oproepen die buiten de openingsuren binnenkwamen: {affected} van {total}",
    "hours_disagree": "oproepen waarbij telefooncentrale en openingsuren van de stad elkaar tegenspreken: {affected}",
    "open_day_without_calls": "open dagen zonder een enkele oproep: {affected} van {total}",
    "quiet_day": "open dagen met veel minder oproepen dan gewoonlijk: {affected} van {total}",
    "partial_export": "dagen waarvan een uitvoerbestand veel minder oproepen bevat dan een vroeger bestand: {affected}",
    "unmapped_service": "afspraken voor een dienst zonder activiteitcluster: {affected} van {total}",
    "open_on_holiday": "feestdagen die niet als sluiting in de kalender staan: {affected} van {total}",
}
STATUSES = {"refused": "geweigerd", "deferred": "uitgesteld"}
REASONS = {
    "late export": "laattijdige uitvoer",
    "corrected export": "verbeterde uitvoer",
    "setting": "gewijzigde instelling",
    "neither an export nor a setting: another version of this software, or records that are gone": "geen uitvoer en "
    "geen instelling: een andere versie van de software, of registraties die er niet meer zijn",
}


def because(why: str) -> str:
    """The reason of a restatement in Dutch; the names in it stay as they are."""
    parts = []
    for part in why.split("; "):
        begin = next((begin for begin in REASONS if part.startswith(begin)), "")
        parts.append(f"{REASONS[begin]}{part.removeprefix(begin)}" if begin else part)
    return "; ".join(parts)


def dimension(name: str) -> str:
    """A queue, cluster or channel as the city calls it; ours in Dutch."""
    return DIMENSIONS.get(name, name)
