"""How dates are written in English, where Django's own way is another."""

DATE_FORMAT = "j M Y"
