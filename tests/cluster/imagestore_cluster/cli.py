# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import deque
from collections.abc import Callable

from .ceph import require_ceph
from .client_files import shell_text
from .errors import ClusterError
from .folder import is_running
from .layout import Layout, layout_of
from .ports import LOOPBACK
from .probe import answers
from .runner import run
from .servers import all_servers
from .settings import STORES, Settings, parse_override, positive, worker_count
from .starter import launch
from .state import load_state
from .stopper import stop

PROGRAM = "cluster"
LOG_LINES = 20
END_SECONDS = 30.0
POLL_SECONDS = 0.05

Action = Callable[[Layout, argparse.Namespace], int]
INTERRUPTED = 130


def main() -> int:
    """Run the action that the command line names; return the exit code."""
    options = _parse(sys.argv[1:])
    try:
        return _do(layout_of(options.dir), options)
    except ClusterError as error:
        _complain(str(error))
    except OSError as error:
        _complain(f"{error.filename or 'system'}: {error.strerror}")
    except KeyboardInterrupt:
        _complain("interrupted; nothing was left running")
        return INTERRUPTED
    return 1


def _do(layout: Layout, options: argparse.Namespace) -> int:
    try:
        action: Action = options.action
        return action(layout, options)
    except ClusterError as error:
        if error.log is None:
            raise
        _show_end_of_log(layout, error.log)
        raise ClusterError(f"{error}; read {layout.log(error.log)}") from error


def _start(layout: Layout, options: argparse.Namespace) -> int:
    running = launch(layout, _settings(options), print)
    if running is None:
        print(f"a cluster is already running in {layout.root}")
    else:
        running.let_go()
    return 0


def _stop(layout: Layout, _options: argparse.Namespace) -> int:
    stopped = stop(layout)
    print(f"stopped the cluster in {layout.root}" if stopped else f"no cluster in {layout.root}")
    return 0


def _status(layout: Layout, _options: argparse.Namespace) -> int:
    state = load_state(layout)
    if state is None or not is_running(layout):
        print(f"no cluster is running in {layout.root}")
        return 1
    all_answer = True
    for server in all_servers(state.cluster.settings):
        process = state.servers[server.name]
        well = process.is_alive() and answers(state.cluster, server)
        all_answer = all_answer and well
        address = f"{LOOPBACK}:{state.cluster.ports[server.port_name]}" if server.port_name else "-"
        print(f"{server.name:<13} {process.pid:>8}  {address:<16} {'answers' if well else 'does not answer'}")
    return 0 if all_answer else 1


def _env(layout: Layout, options: argparse.Namespace) -> int:
    if not is_running(layout):
        raise ClusterError(f"no cluster is running in {layout.root}: start one first")
    if options.format == "shell":
        print(shell_text(layout), end="")
    else:
        print(layout.client.read_text(encoding="utf-8"), end="")
    return 0


def _kill(layout: Layout, options: argparse.Namespace) -> int:
    state = load_state(layout)
    if state is None or options.server not in state.servers:
        raise ClusterError(f"no server {options.server} is running in {layout.root}")
    process = state.servers[options.server]
    process.send(signal.Signals[f"SIG{options.signal}"])
    # A server that was asked to end may still answer for a while.
    deadline = time.monotonic() + END_SECONDS
    while process.is_alive() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return 0


def _run(layout: Layout, options: argparse.Namespace) -> int:
    return run(layout, _settings(options), options.command, _say_aside)


def _settings(options: argparse.Namespace) -> Settings:
    settings = Settings(
        token_lifetime=options.token_lifetime,
        tls=options.tls or options.tls_client_ca,
        tls_client_ca=options.tls_client_ca,
        workers=options.workers,
        restart=options.restart,
        overrides=tuple(options.overrides),
        store=options.store,
        ceph=options.ceph,
    )
    if settings.store == "rgw":
        require_ceph(settings)
    return settings


def _say_aside(text: str) -> None:
    """Print to standard error: the standard output belongs to the command that is run."""
    print(text, file=sys.stderr)


def _complain(text: str) -> None:
    print(f"{PROGRAM}: {text}", file=sys.stderr)


def _show_end_of_log(layout: Layout, name: str) -> None:
    path = layout.log(name)
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as log:
        last = deque(log, maxlen=LOG_LINES)
    print(f"--- the end of {path}", file=sys.stderr)
    print("".join(last).rstrip("\n"), file=sys.stderr)
    print("---", file=sys.stderr)


def _parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options; everything after `--` is the command to run."""
    parser = _parser()
    own, command = arguments, []
    if "--" in arguments:
        border = arguments.index("--")
        own, command = arguments[:border], arguments[border + 1 :]
    options = parser.parse_args(own)
    if (options.action is _run) != bool(command):
        parser.error("`run` needs a command after `--`, and nothing else takes one")
    options.command = command
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="A real Swift and Keystone on loopback.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    start = _command(commands, "start", _start, "start a cluster in the background")
    _command(commands, "stop", _stop, "stop it and remove its folder")
    _command(commands, "status", _status, "say which servers answer")
    env = _command(commands, "env", _env, "print what a client needs")
    env.add_argument("--format", choices=("json", "shell"), default="json")
    kill = _command(commands, "kill", _kill, "end a server, as a crash does")
    kill.add_argument("--signal", choices=("KILL", "TERM"), default="KILL", help="how")
    kill.add_argument("server", help="its name, as `status` tells it")
    run_command = _command(commands, "run", _run, "start, run the command after `--`, stop")
    for command in (start, run_command):
        _add_settings(command)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, action: Action, text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(action=action)
    command.add_argument("--dir", required=True, help="the folder of the cluster")
    return command


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", choices=STORES, default="swift", help="OpenStack Swift, or a Ceph RADOS Gateway")
    command.add_argument("--ceph", metavar="FOLDER", help="where Ceph's packages are unpacked, if not installed")
    command.add_argument("--token-lifetime", type=positive, default=3600, metavar="SECONDS")
    command.add_argument("--workers", type=worker_count, default=1, metavar="N", help="workers of the proxy")
    command.add_argument("--restart", action="store_true", help="start a server again that has ended")
    command.add_argument("--tls", action="store_true", help="https, with a certificate authority of its own")
    command.add_argument("--tls-client-ca", action="store_true", help="also ask clients for a certificate")
    command.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        type=parse_override,
        metavar="SECTION:KEY=VALUE",
        help="a setting of the proxy or of [swift-constraints]; may be repeated",
    )
