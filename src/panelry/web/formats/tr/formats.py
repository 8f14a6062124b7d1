"""How dates are written in Turkish, where Django's own way is another."""

DATE_FORMAT = "j F Y"
