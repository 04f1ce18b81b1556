"""JCC Afspraken: the appointments of its REST interface (G-Plan, WARP), as JSON.

Its moments are civil time without a zone, though a request may carry one. Customers, messages and fields stay in the
export.
"""

from __future__ import annotations

from assets.adapters.vendor import Format

REST = Format(
    name="jcc_rest",
    title="the appointments of JCC's REST interface",
    kind="appointments",
    headers=(("id", "startDateTime", "creationDateTime", "activityList.0.activity.description"),),
    more_columns=True,
    preset={
        "covers": ["planned", "booked"],
        "columns": {
            "appointment_id": "id",
            # several products and persons are one appointment, of the first product
            "service": "activityList.0.activity.description",
            "booked_at": {"column": "creationDateTime", "format": "%Y-%m-%dT%H:%M:%S%.f"},
            "planned_start": {"column": "startDateTime", "format": "%Y-%m-%dT%H:%M:%S%.f"},
        },
    },
    cannot_tell=(
        "Its zone: civil time of the municipality; declare it.",
        "What happened at the desk: no status, no check-in and no start, so there is no visitor wait.",
        "Cancelled appointments: they are gone from its answers, and stay planned as they were exported last.",
        "By which channel an appointment was booked.",
    ),
)
