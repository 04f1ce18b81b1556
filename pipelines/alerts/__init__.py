"""Alerts: what people on call are told, by e-mail and webhooks, of runs from the command line and of Dagster's daemon.

An alert tells ids and counts: no name of a file, no value of a record, no text of an error. `events` says what is told,
`mail` and `webhooks` how it is sent, `memory` what was told already; `telling` is what others call.
"""
