"""The door for time: what happens by itself."""
