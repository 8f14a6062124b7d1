"""A small run of a benchmark, in a process of its own as it is run: Django knows one database for the life of a process."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

TAMPERED: Final = "UPDATE orders SET charge_micros = charge_micros + 1"
SECONDS: Final = 120


def measured(
    name: str,
    folder: Path,
    *,
    spoil: str = "",
    counts: bool = True,
    per_minute: int | None = None,
    **options: Any,
) -> Any:
    """Run a benchmark and return what it says, the text of its failure as `reason`.

    Before the books are looked at `spoil` is done to them; without `counts` no stored order is found; `per_minute` limits
    customers. The options are the benchmark's own.
    """
    wish = {"spoil": spoil, "counts": counts, "per_minute": per_minute, "options": options}
    program = [sys.executable, __file__, name, str(folder), json.dumps(wish)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=SECONDS)
    return json.loads(done.stdout)


def _run(name: str, folder: Path, *, spoil: str, counts: bool, per_minute: int | None, options: Any) -> Any:
    from panelry.ops.bench.ground import Ground, ground
    from panelry.ops.bench.progress import Steps
    from panelry.ops.session import CommandFailed

    class Spoiled(Ground):
        def wrong(self) -> list[str]:
            self._spoil()
            return Ground.wrong(self)

        def count_orders(self, account_ids: Any) -> int:
            self._spoil()
            return Ground.count_orders(self, account_ids) if counts else 0

        def customers(self, count: int, **more: Any) -> Any:
            return Ground.customers(self, count, **more if per_minute is None else {"per_minute": per_minute})

        def _spoil(self) -> None:
            if spoil:
                with self.pool.transaction() as conn:
                    conn.execute(spoil.encode())

    benchmark: Any = getattr(import_module(f"panelry.ops.bench.{name}"), name)
    with ground(folder) as one:
        try:
            return benchmark(Spoiled(settings=one.settings, pool=one.pool), Steps(quiet=True), **options)
        except CommandFailed as failed:
            return {"reason": str(failed), **(failed.value or {})}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_run(sys.argv[1], Path(sys.argv[2]), **json.loads(sys.argv[3]))))
