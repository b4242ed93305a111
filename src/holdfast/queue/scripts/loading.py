"""Reads the Lua files, and runs one where the connection is."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias, cast

from redis.exceptions import NoScriptError, ResponseError

from holdfast.queue.keys import Keys
from holdfast.queue.link.connection import Link
from holdfast.queue.link.wire import Argument

Word: TypeAlias = Literal["ok", "behind", "written", "lock_lost", "missing"]


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua file with what it includes, and the name Redis knows it by."""

    source: str
    sha: str


_FORBIDDEN = re.compile(r"user_script:(\d+).*can't run this command|can't run this command.*user_script:(\d+)")


@cache
def load(name: str) -> Script:
    """Read `lua/<name>.lua` and put the parts it includes in their places."""
    folder = files("holdfast.queue") / "lua"

    def part(match: re.Match[str]) -> str:
        return (folder / "parts" / f"{match[1]}.lua").read_text("utf-8")

    source = re.sub(r"^--#include (\w+)$", part, (folder / f"{name}.lua").read_text("utf-8"), flags=re.MULTILINE)
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


class Caller:
    """Runs scripts of one queue on one link; a call waits for ever for a connection, callers bound it."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def wait_up(self) -> None:
        """Wait until the link is connected, for ever if need be."""
        await self._link.wait_up()

    def _run_now(
        self, name: str, keys: Sequence[str], args: Sequence[Argument], then: Callable[[Any, Exception | None], None]
    ) -> bool:
        """Run a script if there is a connection now; NoScriptError goes to `then` as any other."""
        return self._link.call_now(then, "EVALSHA", load(name).sha, len(keys), *keys, *args)

    async def _run(self, name: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        script = load(name)
        try:
            try:
                return await self._link.call("EVALSHA", script.sha, len(keys), *keys, *args)
            except NoScriptError:  # a server that has just started, or a failover
                return await self._link.call("EVAL", script.source, len(keys), *keys, *args)
        except ResponseError as error:
            if forbidden := forbidden_command(name, str(error)):
                raise ResponseError(forbidden) from error
            raise


def forbidden_command(name: str, error: str) -> str:
    """Which command of a script the user may not run, when Redis says that there is one; it names the line only."""
    if (match := _FORBIDDEN.search(error)) is None:
        return ""
    line = load(name).source.splitlines()[int(match[1] or match[2]) - 1]
    commands = " or ".join(re.findall(r"'([A-Z]{3,})'", line))
    return f"NOPERM the user may not run {commands or line.strip()}, which the script {name} needs"


def word(reply: bytes) -> Word:
    """One word of a script."""
    return cast("Word", reply.decode())


def words(reply: list[bytes]) -> list[Word]:
    """Words of a script."""
    return [word(each) for each in reply]
