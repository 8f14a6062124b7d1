"""`python -m panelry.connectors.sandbox --listen 127.0.0.1:8099 --log FILE`: the sandbox provider by itself."""

import argparse
import json
import math
import sys
from pathlib import Path

from panelry.connectors.sandbox.dialects import DialectName
from panelry.connectors.sandbox.server import SandboxOptions, run


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not host or not colon or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError("it must be HOST:PORT")
    return host.strip("[]"), int(port)


def _speed(text: str) -> float:
    speed = float(text)
    if not math.isfinite(speed) or speed <= 0:
        raise argparse.ArgumentTypeError("it must be above zero")
    return speed


def main() -> None:
    """Read the options, run, and say on the first line where."""
    parser = argparse.ArgumentParser(prog="python -m panelry.connectors.sandbox", description=__doc__)
    parser.add_argument("--listen", type=_address, default=("127.0.0.1", 8099), metavar="HOST:PORT")
    parser.add_argument(
        "--log", type=Path, required=True, metavar="FILE", help="what was accepted, line by line"
    )
    parser.add_argument("--key", help="the only key that is accepted; without it any")
    parser.add_argument("--speed", type=_speed, default=1.0, help="10 runs ten times faster")
    parser.add_argument("--dialect", choices=[*DialectName], default="classic")
    parser.add_argument("--json", action="store_true", help="say the address as JSON")
    wishes = parser.parse_args()

    def ready(url: str) -> None:
        sys.stdout.write(json.dumps({"url": url}) if wishes.json else f"Sandbox provider at {url}")
        sys.stdout.write("\n")
        sys.stdout.flush()

    host, port = wishes.listen
    options = SandboxOptions(
        host=host, port=port, log=wishes.log, key=wishes.key, speed=wishes.speed, dialect=wishes.dialect
    )
    run(options, ready=ready)


if __name__ == "__main__":
    main()
