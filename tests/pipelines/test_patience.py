"""Why PostgreSQL can't be reached, by what libpq says of it."""

from __future__ import annotations

import pytest

from pipelines.patience import obstacle

TOLD = 'connection to server at "10.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            f"{TOLD}Connection refused\n\tIs the server running on that host",
            "does not answer; does it run, and are its",
        ),
        (f"{TOLD}timeout expired", "does not answer; does it run, and are its host and port"),
        ('could not translate host name "lier" to address: Name or service not known', "is on a machine whose name"),
        (f'{TOLD}FATAL:  password authentication failed for user "lier"', "refuses the password, or gets none"),
        (f"{TOLD}fe_sendauth: no password supplied", "refuses the password, or gets none"),
        (f'{TOLD}FATAL:  database "lier" does not exist', "has no such database; is its name"),
        (f'{TOLD}FATAL:  role "lier" does not exist', "has no such user; is it"),
        (f'{TOLD}FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "lier", SSL off', "lets nobody in from here"),
        (f"{TOLD}server does not support SSL, but SSL was required", "does not offer the TLS that is asked for"),
        (f"{TOLD}SSL error: certificate verify failed", "does not offer the TLS that is asked for"),
        (f'{TOLD}root certificate file "/lier.crt" does not exist', "does not offer the TLS that is asked for"),
        ('invalid sslmode value: "lier"', "was not asked, for libpq does not know an option"),
        ('invalid connection option "lier"', "was not asked, for libpq does not know an option"),
        ("ERROR:  permission denied for schema lier", "does not let this user read or write what it should"),
        (f"{TOLD}SSL SYSCALL error: EOF detected", "does not answer; does it run, and are its host and port"),
        (f"{TOLD}FATAL:  sorry, too many clients already", "refuses the connection, and its log says why"),
        (f"{TOLD}FATAL:  le système de bases de données se lance", "refuses the connection, and its log says why"),
    ],
)
def test_a_word_of_libpq_becomes_a_sentence_that_says_what_to_look_at(told: str, sentence: str) -> None:
    said = obstacle(told, "KCC_CATALOG_URL")
    assert said.startswith(f"PostgreSQL {sentence}")
    assert said.endswith("right in KCC_CATALOG_URL?")
