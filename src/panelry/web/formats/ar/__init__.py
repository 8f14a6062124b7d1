"""Arabic: Latin digits, grouped as in English."""
