"""Serves one world on a port of 127.0.0.1, and copies it.

A prepared world (stacks applied, state in its bucket) takes a minute to make; a copy takes milliseconds: the process
forks and the child serves the same memory on a port of its own. Changes to one never reach the other.
"""

import functools
import gc
import os
import socket
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import ThreadedWSGIServer

from .overlay import Overlay

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.1
# Long enough for the answer to `stop` to leave, which the process would otherwise cut off.
_STOP_SECONDS = 0.1


class _QuietHandler(MotoRequestHandler):
    """moto's handler without a line per request on standard error: the call log is the record."""

    def log_request(self, *_: object) -> None:
        pass


class _Server(ThreadedWSGIServer):
    """A server that knows its open connections, so that a fork can let go of them, and ends with its parent."""

    def __init__(self, listener: socket.socket, app, exit_with_parent: bool) -> None:
        super().__init__(_HOST, 0, app, handler=_QuietHandler, fd=listener.fileno())
        listener.close()
        self._parent = os.getppid() if exit_with_parent else None
        self._connections: set[socket.socket] = set()

    def process_request(self, request, client_address) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        if self._parent is not None and os.getppid() != self._parent:
            os._exit(0)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            pass

    def let_go(self) -> None:
        """Closes what a forked child inherited: connections and a port that are its parent's to end."""
        for connection in (self.socket, *self._connections):
            os.close(connection.detach())


def run(port: int, exit_with_parent: bool) -> None:
    """Serves a new, empty world until it is told to stop."""
    listener = socket.create_server((_HOST, port))
    world = _World()
    print(f"ready {listener.getsockname()[1]}", flush=True)
    world.serve(listener, exit_with_parent)


class _World:
    """moto's state in this process, and the server in front of it."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._overlay = Overlay(self._moto, self._fork, self._stop)
        self._server: _Server | None = None

    def serve(self, listener: socket.socket, exit_with_parent: bool) -> None:
        """Answers requests until the process ends."""
        self._server = _Server(listener, self._overlay, exit_with_parent)
        self._server.serve_forever(_POLL_SECONDS)

    def _fork(self) -> dict:
        # Bound before the fork, so that the parent can name the port and a client can connect at once.
        listener = socket.create_server((_HOST, 0))
        port = listener.getsockname()[1]
        with self._overlay.at_rest():
            gc.freeze()  # Keeps the collector from touching, and thereby copying, every shared page in the child.
            child = os.fork()
        if child:
            listener.close()
            return {"port": port, "pid": child}
        # Only this thread, the one that was answering, lives on in the child; it never returns to that answer.
        try:
            self._server.let_go()
            self.serve(listener, exit_with_parent=True)
        finally:
            os._exit(0)

    def _stop(self) -> None:
        threading.Timer(_STOP_SECONDS, functools.partial(os._exit, 0)).start()
