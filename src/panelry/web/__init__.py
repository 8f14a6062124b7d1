"""The door for people: Django."""
