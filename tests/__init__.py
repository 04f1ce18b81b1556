"""Mirrors the folders of the project. A test's name is the rule it holds; its data are values in the test."""
