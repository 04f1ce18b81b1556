"""How long a night waits for a PostgreSQL that can't be reached, and what is told of why.

Does not belong here: what then becomes of a night (`pipelines/postgres.py`, `pipelines/ducklake.py`).
"""

from __future__ import annotations

import re

PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between attempts: PostgreSQL may be restarted while a night runs."""
CONNECT_SECONDS = 10
"""Seconds for one attempt to connect, where the URL says nothing else (`connect_timeout`)."""
OBSTACLES = {
    r"could not translate host name": "is on a machine whose name nobody knows here; is its host (an @ in the "
    "password is %40)",
    r"password authentication failed|no password supplied": "refuses the password, or gets none; are user and password "
    "(or the file that PGPASSFILE names)",
    r'database ".*" does not exist': "has no such database; is its name",
    r'role ".*" does not exist': "has no such user; is it",
    r"permission denied": "does not let this user read or write what it should; is the user",
    r"invalid .* (value|option)": "was not asked, for libpq does not know an option; is what follows the ?",
    r"pg_hba\.conf": "lets nobody in from here in this way (its pg_hba.conf); are user, database and sslmode",
    r"does not support SSL|SSL error|certificate": "does not offer the TLS that is asked for; is sslmode",
    r"FATAL": "refuses the connection, and its log says why; are user, password and database",
    r"": "does not answer; does it run, and are its host and port",
}
"""By what libpq says, where it says it in English: what keeps PostgreSQL from us. The first that fits."""


def obstacle(told: str, url_variable: str) -> str:
    """Why PostgreSQL can't be reached, in a sentence that quotes neither the URL nor what libpq told of it: a URL that
    was put together wrongly has a part of the password in another place.
    """
    why = next(why for sign, why in OBSTACLES.items() if re.search(sign, told))
    return f"PostgreSQL {why} right in {url_variable}?"
