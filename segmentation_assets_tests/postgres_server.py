"""A Postgres server of its own in a temporary folder, reached through a socket there; nobody else is asked."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MOST_SECONDS = 60


def find_binaries() -> Path | None:
    """Folder of the newest server programs on this machine."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(
        (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        key=lambda folder: int(folder.parent.name),
    )
    return found[-1] if found else None


@dataclass
class PostgresServer:
    """A running server with the superuser `owner`."""

    folder: Path
    binaries: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def connection(self) -> str:
        """Connection of the superuser."""
        return f"host={self.folder} dbname=postgres user=owner"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements and return what the last one found."""
        import psycopg

        with psycopg.connect(self.connection, autocommit=True) as database:
            for statement in statements:
                cursor = database.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        command = [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        command += ["-c", "listen_addresses=", "-c", "fsync=off"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **_unprivileged())
        until = time.monotonic() + _MOST_SECONDS
        while subprocess.run([str(self.binaries / "pg_isready"), "-q", "-h", str(self.folder)], check=False).returncode:
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < until, "the Postgres server did not start"

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(_MOST_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None


@contextmanager
def running_server(binaries: Path) -> Iterator[PostgresServer]:
    """Start a server whose socket has a short path, as systems limit its length; stop it and take its folder away."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
    server = PostgresServer(folder, binaries)
    try:
        if os.geteuid() == 0:
            os.chown(folder, _account().pw_uid, _account().pw_gid)
        (folder / "password").write_text("0wner-s3cret")
        (folder / "password").chmod(0o644)
        subprocess.run(
            [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "owner", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync", "--pwfile", str(folder / "password")],
            check=True, capture_output=True, **_unprivileged(),
        )  # fmt: skip
        access = "local all asked scram-sha-256\nlocal all all trust\n"
        (folder / "data" / "pg_hba.conf").write_text(access)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _account() -> pwd.struct_passwd:
    """An account without rights: the server refuses to run as root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": _account().pw_uid, "group": _account().pw_gid, "extra_groups": [], "cwd": "/"}
