"""That the benchmark compares like with like."""
