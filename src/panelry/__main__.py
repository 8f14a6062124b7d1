"""`python -m panelry`."""

from panelry.ops.cli import main

main()
