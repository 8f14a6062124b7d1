"""The documentation for developers."""
