"""The two engines as the second bench command needs them: filled by a program, copied, and thrown away."""

import os
import shutil
import subprocess
from pathlib import Path

from . import machine

REPOSITORY = Path(__file__).resolve().parents[2]
POSTGRES = REPOSITORY / "scripts/postgres-for-tests"
# As durable as a server with its default settings, with memory as for a machine of some gigabytes.
POSTGRES_OPTIONS = (
    "-c fsync=on -c synchronous_commit=on -c full_page_writes=on -c shared_buffers=1GB -c max_wal_size=4GB"
)


def sockets(folder, names):
    """Those of the names in a folder that stand for no file."""
    return [name for name in names if (Path(folder) / name).is_socket()]


class Sqlite:
    """SQLite in a data folder."""

    name = "SQLite"
    # Whether it is measured with the cores kept awake, and what is to be said of it.
    awake = True
    about_cores = machine.AWAKE

    def __init__(self, folder):
        self.folder = Path(folder)

    def close(self):
        """Leaves nothing behind but files of the folder."""

    def data(self, copy):
        """The data folder of the project, or of a copy of it."""
        return self.folder / ("copy" if copy else "grown")

    def database_url(self, _copy):
        """SQLite needs none."""

    def place(self):
        """What the filling program opens."""
        return str(self.data(copy=False) / "data/modelry.db")

    def settle(self):
        """Nothing is left to be done after filling."""

    def make_copy(self):
        """Copies all there is, for writes that are not to change it."""
        shutil.copytree(self.data(copy=False), self.data(copy=True), ignore=sockets)
        os.sync()

    def drop_copy(self):
        """Removes the copy."""
        shutil.rmtree(self.data(copy=True))


class Postgres:
    """A PostgreSQL server of its own, version 15 or newer."""

    name = "PostgreSQL"
    awake = False
    about_cores = machine.ASLEEP + " With loops that keep them awake, PostgreSQL's processes wait for a core: 5 ms where a search is made, up to 0.7 s where 16 connections write."

    def __init__(self, folder):
        self.folder = Path(folder)
        self.environment = {
            **os.environ, "MODELRY_POSTGRES_DIR": str(self.folder / "server"),
            "MODELRY_POSTGRES_OPTIONS": POSTGRES_OPTIONS,
        }
        self.folder.chmod(0o711)
        run = subprocess.run([POSTGRES], env=self.environment, capture_output=True, text=True, check=True)
        self.url = run.stdout.strip()
        self.psql("CREATE DATABASE grown")

    def psql(self, statement, database="postgres"):
        """Runs a statement that is about the server."""
        url = self.url.replace("dbname=postgres", f"dbname={database}")
        subprocess.run(["psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", statement, url], check=True)

    def close(self):
        """Stops the server and removes its files."""
        subprocess.run([POSTGRES, "stop"], env=self.environment, check=True)

    def data(self, copy):
        """The data folder, of which the database is no part."""
        return self.folder / ("copy" if copy else "grown")

    def database_url(self, copy):
        """The database of the project, or of a copy of it."""
        return self.url.replace("dbname=postgres", f"dbname={'copy' if copy else 'grown'}")

    def place(self):
        """What the filling program opens."""
        return self.database_url(copy=False)

    def settle(self):
        """What the server would do by itself after a while."""
        self.psql("VACUUM (ANALYZE)", "grown")
        self.psql("CHECKPOINT")

    def make_copy(self):
        """Copies all there is, for writes that are not to change it."""
        self.psql("CREATE DATABASE copy TEMPLATE grown STRATEGY file_copy")
        self.psql("CHECKPOINT")

    def drop_copy(self):
        """Removes the copy."""
        self.psql("DROP DATABASE copy")
        shutil.rmtree(self.data(copy=True))
