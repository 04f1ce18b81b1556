"""Tests of the rules in `sql/`: invented exports in, published tables out."""
