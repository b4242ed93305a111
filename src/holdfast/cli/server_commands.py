"""serve and worker: the processes that stay."""

from typing import Annotated

import typer

from holdfast.cli.environment import read_settings
from holdfast.cli.logs import configure_logs
from holdfast.cli.running import run


def add_to(app: typer.Typer) -> None:
    """Register this file's commands."""
    for command in (serve, worker):
        app.command()(command)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOLDFAST_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; HOLDFAST_PORT, else 3001.")] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Leave the work to `holdfast worker`.")] = False,
    until_eof: Annotated[bool, typer.Option("--until-eof", hidden=True, help="Stop when stdin ends.")] = False,
) -> None:
    """Serve the HTTP API, with a worker inside.

    Any address but this machine's own needs HOLDFAST_API_KEYS.
    """
    from holdfast.cli.serving import serve_api  # noqa: PLC0415 - the web framework takes a second to import

    settings = read_settings()
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    configure_logs(settings)
    raise typer.Exit(run(lambda stop: serve_api(settings, stop, with_worker=not no_worker, until_eof=until_eof)))


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Jobs at once; HOLDFAST_CONCURRENCY, else 8.")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve this worker's own /metrics there; without it, nowhere.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address for it; whoever reaches it needs no key.")] = "127.0.0.1",
    until_eof: Annotated[bool, typer.Option("--until-eof", hidden=True, help="Stop when stdin ends.")] = False,
) -> None:
    """Work on generations until SIGTERM or Ctrl-C; start as many as you like, on as many machines as you like."""
    from holdfast.cli.serving import work  # noqa: PLC0415

    settings = read_settings()
    if concurrency is not None:
        settings = settings.model_copy(update={"concurrency": concurrency})
    configure_logs(settings)
    metrics = None if metrics_port is None else (metrics_host, metrics_port)
    raise typer.Exit(run(lambda stop: work(settings, stop, until_eof=until_eof, metrics=metrics)))
