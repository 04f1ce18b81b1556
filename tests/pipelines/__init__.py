"""Tests of `pipelines/`."""
