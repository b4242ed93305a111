"""The folder of a PostgreSQL: made whole or not at all, owned by a user that PostgreSQL agrees to run as.

PostgreSQL refuses to run as root. Started by root it runs as `nobody` (or as the user who owns the data already), and
that user must be able to reach its programs and its data: every folder above them that lacks it gets the permission to
be passed through (o+x, not to be listed or read), also a home of mode 0700. Programs that were installed unreadable for
others (umask 077) become readable. Nothing is changed for any other user than root.
"""

import os
import pwd
import secrets
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from holdfast.embedded.binaries import postgres_major
from holdfast.embedded.folders import writing_to
from holdfast.embedded.processes import Account
from holdfast.errors import EmbeddedError, NotConfigured

USER = "holdfast"
DATABASE = "holdfast"
# Not the caller's: a PGDATA, PGOPTIONS or an unknown locale there would break the server.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"


def account_for(data: Path) -> Account | None:
    """Who PostgreSQL has to run as: None is ourselves."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NotConfigured(
            "PostgreSQL does not run as root and this system has no user `nobody`; "
            "run Holdfast as another user, or set DATABASE_URL to a PostgreSQL of yours"
        ) from None
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def let_through(programs: Path, folder: Path) -> None:
    """Let another account run the programs and reach the folder; see the module's words."""
    installed = programs.resolve().parent
    with writing_to(folder):
        for place in (installed, *installed.parents, folder, *folder.parents):
            _add_mode(place, stat.S_IXOTH)
        readable = stat.S_IROTH | stat.S_IXOTH
        if (installed / "bin" / "postgres").stat().st_mode & readable == readable:
            return
        libraries = installed.parent.with_name(f"{installed.parent.name}.libs")  # what the wheel brings along
        for tree in filter(Path.exists, (installed, libraries)):
            for place in (tree, *tree.rglob("*")):
                runs = place.stat().st_mode & stat.S_IXUSR
                _add_mode(place, readable if runs else stat.S_IROTH)


def create_cluster(programs: Path, data: Path, *, account: Account | None, password: str) -> None:
    """Make the data folder with the user, its password and the database; it appears at once when all is done."""
    for unfinished in data.parent.glob(f"{data.name}.*.new"):
        shutil.rmtree(unfinished, ignore_errors=True)
    fresh = data.with_name(f"{data.name}.{secrets.token_hex(4)}.new")
    fresh.mkdir(mode=0o700)
    try:
        if account:
            os.chown(fresh, account.uid, account.gid)
        _initdb(programs, fresh, account)
        (fresh / "pg_hba.conf").write_text(ACCESS)
        run_alone(programs, fresh, account, [_password_sql(password), f"CREATE DATABASE {DATABASE}"])
        fresh.rename(data)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def reset_password(programs: Path, data: Path, *, account: Account | None, password: str) -> None:
    """Give the stopped server's user a new password, for a password file that was lost."""
    run_alone(programs, data, account, [_password_sql(password)])


def run_alone(programs: Path, data: Path, account: Account | None, statements: Sequence[str]) -> None:
    """Run SQL on a stopped server's folder, in PostgreSQL's single-user mode: no port, no password."""
    command: list[str | Path] = [programs / "postgres", "--single", "-j", "-D", data, "postgres"]
    _run(command, data, account, said="".join(f"{statement};\n\n" for statement in statements))


def _initdb(programs: Path, fresh: Path, account: Account | None) -> None:
    command: list[str | Path] = [programs / "initdb", "-D", fresh, "-U", USER, "-E", "UTF8", "--locale=C"]
    if int(postgres_major(programs)) >= 17:
        # Byte order for sorting as with C, but upper() and lower() know all letters; no locale of the system is needed.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--auth=trust", "--no-instructions"]  # trust is replaced before the server first runs
    _run(command, fresh, account)


def _run(command: Sequence[str | Path], folder: Path, account: Account | None, *, said: str = "") -> None:
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=ENVIRONMENT,
            input=said,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as error:
        raise EmbeddedError(f"{command[0]} cannot be run: {error}") from error
    # Single-user mode ends with 0 also after a failed statement.
    if ended.returncode != 0 or "ERROR:" in ended.stderr:
        lines = [line for line in ended.stderr.strip().splitlines() if "STATEMENT:" not in line]  # it has the password
        words = " | ".join(lines[-4:])
        raise EmbeddedError(f"the PostgreSQL folder {folder} could not be prepared: {words}")


def _password_sql(password: str) -> str:
    quoted = password.replace("'", "''")
    return f"ALTER USER {USER} PASSWORD '{quoted}'"


def _add_mode(place: Path, bits: int) -> None:
    mode = place.stat().st_mode
    if mode & bits != bits:
        place.chmod(mode | bits)
