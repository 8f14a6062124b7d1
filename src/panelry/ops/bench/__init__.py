"""Benchmarks that anyone can repeat: each on a database of its own, beside a baseline of the same run, books checked."""
