"""How dates and numbers are written in Arabic: Latin digits, grouped as in English, where Django's own way is another."""

DATE_FORMAT = "j F Y"
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
