"""`python -m devstack.host`: run one Functions app until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path

import uvloop

from devstack.host.application import PATIENCE, Application, Place
from devstack.host.errors import HostError

log = logging.getLogger(__name__)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.host", description="Run a Functions app locally."
    )
    parser.add_argument("--app", type=Path, required=True, help="folder with host.json and function_app.py")
    parser.add_argument("--port", type=int, required=True, help="HTTP port; 0 takes a free one")
    parser.add_argument(
        "--kafka", required=True, metavar="HOST:PORT", help="broker behind the Event Hub triggers"
    )
    parser.add_argument(
        "--checkpoint-lag",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="commit a checkpoint this long after its batch, for storage that is slow to become durable",
    )
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    return parser.parse_args()


async def _serve(place: Place) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = Application(place)
    url = await application.start()
    print(f"host ready {url}", flush=True)
    await stop.wait()
    log.info("stopping")
    _end_for_sure(PATIENCE + 1.5)
    await application.stop()


def _end_for_sure(seconds: float) -> None:
    """A sync function that never returns keeps its thread, and a thread would keep the process."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def main() -> int:
    """The exit code: 1 when the app cannot be served."""
    options = _arguments()
    place = Place(
        options.app.resolve(),
        options.address,
        options.port,
        options.kafka,
        os.environ,
        options.checkpoint_lag,
    )
    try:
        uvloop.run(_serve(place))
    except HostError as error:
        print(f"host: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"host: cannot listen on {options.address}:{options.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
