"""One module a vendor format: from the text columns of an export to canonical records.

An adapter sees one record at a time, imports Polars only, and lets nothing personal through: what a canonical
record may hold is the closed list in `schemas/records.py`. What needs more than one record is SQL's.
"""
