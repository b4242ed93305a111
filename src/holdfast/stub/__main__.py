"""`python -m holdfast.stub`: run the stub provider until it is told to stop."""

import argparse
import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import orjson

from holdfast.stub.prices import Tariff, Usage, price_list
from holdfast.stub.server import Server
from holdfast.stub.serving import Options


def main() -> None:
    """Parse the command line and serve."""
    asked = _parser().parse_args()
    try:
        prices = price_list(dict(text.rsplit("=", 1) for text in asked.price))
    except (ValueError, ArithmeticError) as error:
        sys.exit(f"--price: {error}")
    options = Options(
        latency=asked.latency_ms / 1000,
        requests_per_minute=asked.rpm,
        burst=asked.burst,
        key=asked.key,
        strict_models=asked.strict_models,
        batch_seconds=asked.batch_seconds,
        usage=asked.tokens,
    )
    asked.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_serve(asked, prices, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m holdfast.stub", description="A stand-in for model providers.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--folder", type=Path, required=True, help="keeps the bill, the batches and the files")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="between bill and reply")
    parser.add_argument("--rpm", type=float, help="requests a minute; more get 429 with Retry-After")
    parser.add_argument("--burst", type=float, help="requests that may come at once; default: a second's worth")
    parser.add_argument("--key", help="the only right API key; default: any")
    parser.add_argument("--price", action="append", default=[], metavar="MODEL=IN,OUT", help="USD per million tokens")
    parser.add_argument("--strict-models", action="store_true", help="404 for models without a price")
    parser.add_argument("--batch-seconds", type=float, default=0.0, help="that a batch takes")
    parser.add_argument("--tokens", type=_usage, metavar="IN,OUT", help="of every call; default: counted")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    return parser


def _usage(text: str) -> Usage:
    asked, said = text.split(",")
    return Usage(input_tokens=int(asked), output_tokens=int(said))


async def _serve(asked: argparse.Namespace, prices: dict[str, Tariff], options: Options) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    server = Server(asked.folder, prices, options)
    port = await server.start(asked.port)
    if asked.until_eof:
        threading.Thread(target=_watch_input, args=(loop, stop), daemon=True).start()
    told = {"url": f"http://127.0.0.1:{port}", "port": port, "pid": os.getpid(), "folder": str(asked.folder)}
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.flush()
    await stop.wait()
    await server.stop()


def _watch_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    main()
