"""A program: forks a process, all imports done, for each task that it is sent, and says how it ended.

`python -m tests.kills.zygote SOCKET`; ends with its standard input, and whatever it forked with it. It makes
no client before it forks, for their threads do not survive that.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import traceback
import warnings


def main(path: str) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([server, sys.stdin], [], [])
            if sys.stdin in ready:
                os.killpg(0, signal.SIGKILL)
            connection, _ = server.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _serve(connection)
                os._exit(0)
            connection.close()


def _serve(connection: socket.socket) -> None:
    with connection.makefile("rw") as stream:
        request = json.loads(stream.readline())
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _work(request, write)
        os.close(write)
        with os.fdopen(read) as answers:
            answer = answers.read()
        _, status = os.waitpid(pid, 0)
        reply = {"code": os.waitstatus_to_exitcode(status), "answer": answer}
        stream.write(json.dumps(reply) + "\n")


def _work(request: dict[str, object], write: int) -> None:
    code = 1
    try:
        with os.fdopen(write, "w") as answers:
            try:
                json.dump(tasks.run(**request), answers)  # type: ignore[arg-type]
                code = 0
            except BaseException:
                traceback.print_exc(file=answers)
    finally:
        os._exit(code)


if __name__ == "__main__":
    from tests.kills import tasks

    # Idle threads of the libraries' own pools; they start new ones in the forked process.
    warnings.simplefilter("ignore", DeprecationWarning)
    main(sys.argv[1])
