"""How long a night waits for a PostgreSQL that does not answer. Does not belong here: what is said when it ends."""

PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between attempts: PostgreSQL may be restarted while a night runs."""
CONNECT_SECONDS = 10
"""Seconds for one attempt to connect, where the URL says nothing else (`connect_timeout`)."""
