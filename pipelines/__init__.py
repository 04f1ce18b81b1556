"""How it runs: settings, command line, definitions, jobs, locking, publishing.

Does not belong here: what an export means or how a figure is computed (`assets/`, `sql/`).
"""
