"""Where the servers are, and what is typed there: addresses without passwords, the fixes' commands complete."""

from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from holdfast.doctor.lines import Line, Name, fail
from holdfast.errors import UnfitServer
from holdfast.queue import Queue

PATIENCE = 5.0  # seconds the questions to one server may take together
Refused: TypeAlias = Literal["credentials", "database", "pooler"] | None
CLI = "redis-cli "  # what the checks write


def away(name: Name, url: str, why: str, *, home: Path | None, refused: Refused = None) -> Line:
    """The one line about a server that cannot be used. `home`: the data folder, if it is an embedded one."""
    where = place(url)
    if home is not None:
        fix = f"ls '{home}'/*/*.log  # its last words; `holdfast serve` starts it again"
    elif name == "redis":
        fix = _redis_fix(where, refused)
    else:
        fix = _postgres_fix(url, refused)
    why = why or f"no answer within {PATIENCE:g} s"
    return fail(name, f"{where}: {why}; the other lines about it are left out", fix)


def place(url: str) -> str:
    """An address without user and password."""
    parts = urlsplit(url)
    path = parts.path if parts.scheme == "unix" else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"


def _redis_fix(where: str, refused: Refused) -> str:
    host = where.partition("://")[2]
    if refused == "credentials":
        return f"REDIS_URL={where.partition(':')[0]}://<user>:<password>@{host}/0  # no user: redis://:<password>@…"
    return f"{_client(where, by_variable=False)} ping  # start it, or mend REDIS_URL"


def _postgres_fix(url: str, refused: Refused) -> str:
    parts = urlsplit(place(url))
    host, port, name = parts.hostname or "localhost", _port(parts) or 5432, urlsplit(url).path.strip("/")
    if refused == "credentials":
        return (
            f"DATABASE_URL=postgresql://<user>:<password>@{host}:{port}/{name}  # and pg_hba.conf lets it in from here"
        )
    if refused == "pooler":
        return f"DATABASE_URL=postgresql://<user>:<password>@{host}:6543/{name}  # a pooler's own port"
    if refused == "database":
        return f"createdb -h {host} -p {port} '{name}'  # or mend the name at the end of DATABASE_URL"
    return f"pg_isready -h {host} -p {port}  # start it, or mend DATABASE_URL"


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:  # several hosts
        return None


def unfit_fix(error: UnfitServer, queue: Queue) -> str:
    """What to do about a server that no queue can run on."""
    match error.reason:
        case "no_hash_tag":
            return f"HOLDFAST_QUEUE_PREFIX='{{{queue.prefix}}}'  # in every process that uses this queue"
        case "sentinel":
            return "REDIS_URL=redis+sentinel://:<password>@host:26379/<name of the service>"
        case "too_old":
            return "redis-server --version  # upgrade it to 6.2 or newer, or to Valkey"


def with_address(line: Line, url: str, *, by_variable: bool) -> Line:
    """The line with its fix asking the server at `url`, by the name of the variable where that holds its URL."""
    return replace(line, fix=line.fix.replace(CLI, f"{_client(url, by_variable=by_variable)} "))


def _client(url: str, *, by_variable: bool) -> str:
    parts = urlsplit(place(url))
    if by_variable and parts.scheme in ("redis", "rediss") and not urlsplit(url).query:
        return 'redis-cli -u "$REDIS_URL"'  # the password is in there, and is not shown
    if parts.scheme == "unix":
        return f"redis-cli -s {parts.path}"
    if "+" in parts.scheme:  # sentinels or a cluster: which node it is, they know
        return "redis-cli -h <the primary>"
    tls = " --tls" if parts.scheme == "rediss" else ""
    return f"redis-cli -h {parts.hostname or 'localhost'} -p {_port(parts) or 6379}{tls}"
