"""The Django application of an operator's brand: one row, its form in the back office, its pictures."""
