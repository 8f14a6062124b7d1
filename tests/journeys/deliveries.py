"""A database with customers who have receivers, and engines in processes of their own that deliver to them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from panelry import settings as panelry_settings
from panelry.database.pool import Conn
from panelry.domain.webhooks import Registered

PANELRY = (sys.executable, "-m", "panelry")


@dataclass(slots=True)
class Stage:
    """A database, its customers with a receiver each, and the engines that work on it."""

    url: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    shops: dict[str, Registered] = field(default_factory=dict)
    engines: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @contextmanager
    def connect(self) -> Iterator[Conn]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            yield conn

    def start(self) -> None:
        """Start an engine, beside others where there are some."""
        with (self.folder / "engine.log").open("a") as log:
            command = [*PANELRY, "work", "--data", str(self.folder)]
            self.engines.append(subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log))

    def kill(self) -> None:
        """Kill all engines at whatever they are doing; what they held is due as if their leases had ended."""
        for engine in self.engines:
            engine.kill()
            engine.wait()
        self.engines.clear()
        with self.connect() as conn:
            conn.execute("UPDATE deliveries SET due_at = clock_now() WHERE state = 'sending'")

    def stop(self) -> None:
        for engine in self.engines:
            engine.terminate()
        for engine in self.engines:
            engine.wait(20)

    def hurry(self) -> None:
        """Let what waits for a later attempt be due now; what is being recorded just now has its turn later."""
        with self.connect() as conn:
            conn.execute(
                "UPDATE deliveries d SET due_at = clock_now() FROM ("
                "SELECT webhook_id, event_id FROM deliveries WHERE state = 'waiting' AND due_at > clock_now() "
                "FOR NO KEY UPDATE SKIP LOCKED) w WHERE w.webhook_id = d.webhook_id AND w.event_id = d.event_id"
            )

    def count(self, *states: str) -> int:
        with self.connect() as conn:
            query = "SELECT count(*) FROM deliveries WHERE state = ANY (%s)"
            return int(conn.execute(query, [list(states)]).fetchall()[0][0])

    def is_beyond(self, finished: int) -> bool:
        self.hurry()
        return self.count("delivered", "exhausted") >= finished

    def cli(self, *arguments: str) -> Any:
        command = [*PANELRY, *arguments, "--data", str(self.folder), "--json"]
        result = subprocess.run(command, env=self.environment(), capture_output=True, check=True)
        return json.loads(result.stdout)

    def environment(self) -> dict[str, str]:
        return panelry_settings.child_environment(
            PANELRY_DEVELOPMENT="1", **self.settings, DATABASE_URL=self.url
        )
