# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults between a module and Swift or Keystone, and the time when they happen."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus

# Pattern for messages about a broken connection or an unusable answer.
_BROKEN = r"no answer|can't be asked|can't be reached|is not Swift|ended|does not answer|broken|truncated"
_BY_STATUS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: r"refused|asks for a login|401",
    HTTPStatus.NOT_FOUND: r"no such|no container|404",
    HTTPStatus.CONFLICT: r"meanwhile|409|Another upload",
    HTTPStatus.PRECONDITION_FAILED: r"meanwhile|412|Another upload|replaced",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: r"quota|413",
    HTTPStatus.UNPROCESSABLE_ENTITY: r"corrupted in transit|422",
    HTTPStatus.INSUFFICIENT_STORAGE: r"quota|507",
}
_DAMAGED = (
    r"login failed|400|not match|has the \w+ [0-9a-f]|no readable|corrupted in transit|stored .* with ETag|" + _BROKEN
)


# A module that waits longer than this gives up.
_HOLD_SECONDS = 4.0


class Kind(Enum):
    """The kind of a fault: a change to a request or its answer."""

    CUT_REQUEST = "request cut off"
    CUT_ANSWER = "answer cut off"
    DELAY = "answer late"
    STALL = "no answer"
    THROTTLE = "slow"
    STATUS = "status"
    SHORT = "answer truncated"
    GARBLE_ANSWER = "answer garbled"
    GARBLE_REQUEST = "request garbled"
    SHORT_LISTING = "listing without its last entries"
    STORED_503 = "503 after it was done"
    WRONG_ETAG = "201 with a wrong ETag"


class Target(Enum):
    """The target of a request."""

    KEYSTONE = "Keystone"
    INFO = "/info"
    ACCOUNT = "the account"
    LISTING = "a container"
    IMAGE = "the image"
    SEGMENT = "a segment"


@dataclass(frozen=True)
class Request:
    """A request as the proxy sees it."""

    method: str
    target: Target
    query: str


@dataclass
class Fault:
    """One fault, with its start and its number of times.

    :param methods: methods of the requests that the fault can affect
    :param skip: how many such requests pass before the first fault
    :param times: how many requests the fault affects
    :param amount: bytes, seconds, bytes a second, or entries, depending on the kind
    :param status: the status of the answer
    :param retry_after: seconds in the answer's Retry-After
    """

    kind: Kind
    methods: Sequence[str]
    targets: Sequence[Target]
    skip: int = 0
    times: int = 1
    amount: float = 0
    status: int = 0
    retry_after: int | None = None
    fired: int = 0

    @property
    def name(self) -> str:
        """The name of the fault in a campaign's result."""
        return f"{self.kind.value} {self.status}" if self.status else self.kind.value

    @property
    def cause(self) -> str:
        """A regular expression for the message of a module that fails because of the fault."""
        if self.kind is Kind.STATUS:
            return _BY_STATUS.get(self.status, str(self.status))
        if self.kind is Kind.STORED_503:
            return "503"
        if self.kind is Kind.SHORT_LISTING:
            return r"does not show|listing|not match|is expected"
        if self.kind in (Kind.SHORT, Kind.GARBLE_ANSWER, Kind.GARBLE_REQUEST, Kind.WRONG_ETAG):
            return _DAMAGED
        return _BROKEN


@dataclass
class Script:
    """The faults of one run; a request gets the first fault that fits.

    :param moment: how many requests pass before the blow; the next request waits for it
    :ivar reached: set when that request has come
    :ivar struck: set when the blow has been carried out
    """

    faults: Sequence[Fault] = ()
    moment: int | None = None
    seen: list[Request] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    struck: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request: Request) -> Fault | None:
        """Return the fault for *request*; None if it passes without one."""
        with self._lock:
            self.seen.append(request)
            is_moment = self.moment is not None and len(self.seen) == self.moment + 1
        if is_moment:
            # The module that sent the request waits for its answer, and so it has not ended.
            self.reached.set()
            self.struck.wait(_HOLD_SECONDS)
        return self._fault_of(request)

    def _fault_of(self, request: Request) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if request.method not in fault.methods or request.target not in fault.targets:
                    continue
                if fault.skip:
                    fault.skip -= 1
                elif fault.fired < fault.times:
                    fault.fired += 1
                    return fault
        return None

    @property
    def fired(self) -> list[Fault]:
        """The faults that happened."""
        return [fault for fault in self.faults if fault.fired]

    def explains(self, message: str) -> bool:
        """Return True if *message* names a fault that happened as its cause."""
        return any(re.search(fault.cause, message) for fault in self.fired)
