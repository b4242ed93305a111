"""The processes that stay: the API with its worker and reconciler, and the worker alone."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import structlog
import uvicorn

from holdfast.api import create_app, require_keys
from holdfast.cli.metrics import served_metrics
from holdfast.cli.running import Stop
from holdfast.errors import BadInput, HoldfastError
from holdfast.service import Service, open_service
from holdfast.settings import Settings

BACKLOG = 1024
GRACE = 5  # seconds open requests get when the API stops

log = structlog.get_logger("holdfast.cli")


class PortTaken(HoldfastError):
    """Something else listens there."""


async def serve_api(settings: Settings, stop: Stop, *, with_worker: bool, until_eof: bool = False) -> int:
    """`holdfast serve`."""
    require_keys(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(settings.host, settings.port))  # before a server starts for nothing
        async with open_service(settings) as service:
            if until_eof:
                stack.enter_context(_eof_stops(stop))
            if stop.asked:
                return 0
            say(f"Holdfast serves {url_of(listener)} (docs: {url_of(listener)}/docs). Ctrl-C stops it.")
            await run_api(service, listener, stop, with_worker=with_worker)
    return 0


async def work(settings: Settings, stop: Stop, *, until_eof: bool, metrics: tuple[str, int] | None = None) -> int:
    """`holdfast worker`; `metrics`: host and port for its own counters."""
    with ExitStack() as stack:
        listener = None if metrics is None else stack.enter_context(listening(*metrics, option="--metrics-port"))
        async with open_service(settings) as service:
            if until_eof:
                stack.enter_context(_eof_stops(stop))
            if listener is not None:
                stack.enter_context(served_metrics(service.watch.metrics, listener))
                log.info("metrics served", url=f"{url_of(listener)}/metrics")
            if not stop.asked:
                log.info("worker started", concurrency=settings.concurrency)
                await service.run_worker(stop.event)
                log.info("worker stopped")
    return 0


async def run_api(service: Service, listener: socket.socket, stop: Stop, *, with_worker: bool) -> None:
    """The API until asked to stop; then first the API ends its requests, then the worker its jobs."""
    app = create_app(service, hosts=service.settings.hosts, stopping=stop.event)
    server = _Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=GRACE))
    api_stopped = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_stop_api(server, stop))
        group.create_task((service.run_worker if with_worker else service.run_reconciler)(api_stopped))
        try:
            await server.serve(sockets=[listener])
        finally:
            api_stopped.set()
            stop.event.set()


@contextmanager
def listening(host: str, port: int, *, option: str = "--port") -> Iterator[socket.socket]:
    """A listening socket, closed at the end. Raises BadInput for a host that is not this machine's, PortTaken."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise BadInput(f"{host} is no address of this machine ({error.strerror}); try 127.0.0.1") from error
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            raise PortTaken(
                f"port {port} of {host} cannot be used ({error.strerror}); stop what listens there, or choose another "
                f"one with {option}"
            ) from error
        yield listener


def url_of(listener: socket.socket) -> str:
    """The address to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def say(line: str) -> None:
    """One line for the person who started it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def _eof_stops(stop: Stop) -> Iterator[None]:
    """Whoever started this process holds the other end of its stdin; that end is gone when they are."""
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.event.set()

    loop.add_reader(0, readable)
    try:
        yield
    finally:
        loop.remove_reader(0)


async def _stop_api(server: "_Server", stop: Stop) -> None:
    await stop.event.wait()
    server.should_exit = True


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals have one owner, and it is not the web server."""
        yield
