"""What the data looks like: one Pandera model for the canonical records and for every published table.

The models are the only source of the border check, Dagster's Columns tab, DuckDB's COMMENTs and the data
dictionary. Does not belong here: how a table is computed (`sql/`).
"""
