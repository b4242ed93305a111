"""queue: look at a job queue and keep it in order."""

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from holdfast.cli.environment import read_settings
from holdfast.cli.logs import configure_logs
from holdfast.cli.queue_words import STATES, seconds_of
from holdfast.cli.running import Stop, run
from holdfast.errors import BadInput

DEFAULT_QUEUE = "codeframe-generation"

queue_app = typer.Typer(
    name="queue",
    help="Look at a job queue and keep it in order: any queue of Holdfast or of Node's Bull 4.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="For a script.")]
JobId = Annotated[str | None, typer.Argument(metavar="[ID]", help="The job's id.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]
State = Annotated[str, typer.Argument(metavar="STATE", help=", ".join((*STATES, "ghosts")))]


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    for command in (stats, jobs, show, retry, promote, pause, resume, clean, audit, watch):
        queue_app.command()(command)
    app.add_typer(queue_app)


@queue_app.callback()
def which(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(help="The Redis; REDIS_URL or REDIS_HOST, else the embedded server.", metavar="URL")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Of the keys; HOLDFAST_QUEUE_PREFIX, else bull.")] = None,
    queue: Annotated[str, typer.Option("--queue", "-q", help="The queue's name.")] = DEFAULT_QUEUE,
) -> None:
    context.obj = (url, prefix, queue)


def stats(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how many jobs are where, how fast they end, who works, and how long the oldest waits."""
    from holdfast.cli.queue_looking import show_stats  # noqa: PLC0415 - the queue is not imported for --help

    _run(context, lambda queue, _: show_stats(queue, as_json=as_json))


def jobs(
    context: typer.Context,
    state: State,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs of one state: those that wait in the order in which they run, finished ones the newest first.

    `failed` says why; `ghosts` are ids that were set aside because there was no job behind them.
    """
    from holdfast.cli.queue_looking import show_jobs  # noqa: PLC0415

    _run(context, lambda queue, _: show_jobs(queue, state, limit=limit, as_json=as_json))


def show(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="ID", help="The job's id.")],
    as_json: AsJson = False,
) -> None:
    """Show everything about one job: where it is, its data and options, its log, who holds it."""
    from holdfast.cli.queue_showing import show_job  # noqa: PLC0415

    _run(context, lambda queue, _: show_job(queue, job, as_json=as_json))


def retry(
    context: typer.Context,
    job: JobId = None,
    every: Annotated[bool, typer.Option("--all", help="All failed jobs, the oldest first.")] = False,
    limit: Limit = None,
    keep_attempts: Annotated[bool, typer.Option(help="Leave the attempts used up; else they begin anew.")] = False,
) -> None:
    """Run a failed job, or all of them, again."""
    from holdfast.cli.queue_moving import retry_jobs  # noqa: PLC0415

    _one_or_all(job, every)
    _run(context, lambda queue, _: retry_jobs(queue, job, limit=limit, fresh=not keep_attempts))


def promote(
    context: typer.Context,
    job: JobId = None,
    every: Annotated[bool, typer.Option("--all", help="All delayed jobs, the earliest first.")] = False,
    limit: Limit = None,
) -> None:
    """Let a delayed job, or all of them, wait for their turn now."""
    from holdfast.cli.queue_moving import promote_jobs  # noqa: PLC0415

    _one_or_all(job, every)
    _run(context, lambda queue, _: promote_jobs(queue, job, limit=limit))


def pause(context: typer.Context) -> None:
    """Let no worker take a job until `resume`; running ones go on."""
    from holdfast.cli.queue_moving import pause_queue  # noqa: PLC0415

    _run(context, lambda queue, _: pause_queue(queue))


def resume(context: typer.Context) -> None:
    """Let workers take jobs again."""
    from holdfast.cli.queue_moving import resume_queue  # noqa: PLC0415

    _run(context, lambda queue, _: resume_queue(queue))


def clean(
    context: typer.Context,
    state: State,
    older_than: Annotated[str, typer.Option(help="Such as 90s, 15m, 12h or 7d; 0 for all.", metavar="AGE")],
    limit: Limit = None,
) -> None:
    """Remove jobs that ended so long ago, or were added so long ago and have not ended; never one that runs."""
    from holdfast.cli.queue_moving import clean_jobs  # noqa: PLC0415

    seconds = seconds_of(older_than)
    _run(context, lambda queue, _: clean_jobs(queue, state, older_than=seconds, limit=limit))


def audit(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what is found, after showing it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before mending.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that each job is in exactly one place and nothing lies about; the exit code is 1 if something is wrong.

    Workers may go on meanwhile. It reads the names of all keys of the database, in small steps.
    """
    from holdfast.cli.queue_auditing import audit_queue  # noqa: PLC0415

    _run(context, lambda queue, _: audit_queue(queue, fix=fix, ask=not yes, as_json=as_json))


def watch(
    context: typer.Context,
    every: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks.")] = 1.0,
) -> None:
    """Watch a queue: counts, rates, who runs what, what failed last. q or Ctrl-C leaves."""
    from holdfast.cli.queue_watching import watch_queue  # noqa: PLC0415

    _run(context, lambda queue, stop: watch_queue(queue, stop, every=every))


def _one_or_all(job: str | None, every: bool) -> None:
    if (job is None) != every:
        raise BadInput("say the id of one job, or --all")


def _run(context: typer.Context, command: Callable[[Any, Stop], Awaitable[int]]) -> None:
    from holdfast.cli.queue_target import opened_queue  # noqa: PLC0415

    url, prefix, name = context.obj
    settings = read_settings()
    configure_logs(settings, level=logging.ERROR)

    async def on_the_queue(stop: Stop) -> int:
        async with opened_queue(settings, url=url, prefix=prefix, name=name) as queue:
            return await command(queue, stop)

    raise typer.Exit(run(on_the_queue))
