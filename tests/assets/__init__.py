"""Tests of `assets/`."""
