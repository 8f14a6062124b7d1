"""The door for machines: API v2 as raw ASGI, no framework."""
