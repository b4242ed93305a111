"""drill: kill things on purpose, and check the five criteria."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from holdfast.cli.environment import read_settings
from holdfast.cli.logs import configure_logs
from holdfast.cli.running import run
from holdfast.errors import BadInput

WORDS = {"1": "server", "2": "redis", "3": "persistence"}
SHOWN = "1|2|3|server|redis|persistence"


def add_to(app: typer.Typer) -> None:
    """Register this file's command."""
    app.command()(drill)


def drill(
    which: Annotated[
        list[str] | None, typer.Argument(metavar=f"[{SHOWN}]...", help="Drills to play; default: all of them.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Play all of them, as without a name.")] = False,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report as JSON; - is stdout.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as a page, with plots.")] = None,
    outage: Annotated[
        list[float] | None,
        typer.Option(min=0.5, max=300, metavar="SECONDS", help="Redis stays away so long; again for more runs. 2, 20."),
    ] = None,
    fsync: Annotated[
        Literal["always", "everysec", "no"] | None,
        typer.Option(help="appendfsync of the drill's own Redis, as yours has it; default: always."),
    ] = None,
    on_my_redis: Annotated[
        bool, typer.Option("--on-my-redis", help="Play on the Redis of REDIS_URL, under keys of the drill's own.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep its folder, with logs and the provider's bill.")] = False,
) -> None:
    """Kill server and Redis (kill -9) in the middle of a $15 generation, and say whether anything was lost.

    Plays on servers of its own, with your settings and a stand-in for the provider: no key, no money. The exit code is
    1 if one of the five criteria fails. On a Redis of yours it kills nothing but its own processes, and `drill redis`
    asks you to restart it.
    """
    from holdfast.cli.drilling import Wanted, show_drill  # noqa: PLC0415 - the service takes a second to import

    wanted = Wanted(
        drills=_named(which or [], every=every, on_my_redis=on_my_redis),
        json=json,
        html=html,
        outages=tuple(outage or ()),
        fsync=fsync or "always",
        on_my_redis=on_my_redis,
        keep=keep,
    )
    if fsync and on_my_redis:
        raise BadInput("--fsync is for a Redis of the drill's own; yours is as you have set it")
    settings = read_settings()
    configure_logs(settings, level=logging.ERROR)  # what the servers go through is the story
    raise typer.Exit(run(lambda stop: show_drill(settings, stop, wanted)))


def _named(which: list[str], *, every: bool, on_my_redis: bool) -> tuple[str, ...]:
    if which and every:
        raise BadInput("name drills, or say --all")
    names = [WORDS.get(word, word) for word in which]
    if not names:  # nobody is asked to restart a server of theirs who has not asked for that drill
        names = [name for name in WORDS.values() if not (on_my_redis and name == "redis")]
    for name in names:
        if name not in WORDS.values():
            raise BadInput(f"there is no drill {name!r}; there are {SHOWN}")
    return tuple(names)
