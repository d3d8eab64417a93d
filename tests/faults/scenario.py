# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scenario of one run of the campaign, all of it chosen by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from ansible_collections.imagestore.swift.tests.support.cloud import IS_RGW
from ansible_collections.imagestore.swift.tests.support.faults import Fault, Kind, Target

KIB = 1024
SEGMENT = 128 * KIB
# Longer than the modules wait (api_timeout).
STALL_SECONDS = 7.0
_CHANGING = ("PUT", "POST", "DELETE")
_ALL = ("GET", "HEAD", *_CHANGING)
_FOREVER = 1_000_000
_MOST_SEGMENTS = 12
# The last size is larger than the memory that a module may take.
_SIZES = (1, 7 * KIB, SEGMENT, 5 * SEGMENT, 9 * SEGMENT + 1, 1500 * SEGMENT)
# The methods that modules use, by target.
_ASKED = {
    Target.KEYSTONE: ("GET", "POST"),
    Target.INFO: ("GET",),
    Target.ACCOUNT: ("HEAD",),
    Target.LISTING: ("GET", "HEAD", "POST"),
    Target.IMAGE: ("HEAD", "GET", "PUT", "POST", "DELETE"),
    Target.SEGMENT: ("HEAD", "GET", "PUT", "DELETE"),
}
_STATUSES = (401, 404, 408, 409, 412, 413, 422, 429, 498, 499, 500, 502, 503, 507)
_WAITED_FOR = (429, 503)
_CUT_AFTER = (0, 1, 100, 60_000, 130_000)
# Possible amounts of a fault of each kind: bytes, bytes a second, or entries.
_AMOUNTS = {
    Kind.CUT_REQUEST: _CUT_AFTER,
    Kind.CUT_ANSWER: _CUT_AFTER,
    Kind.THROTTLE: (200_000, 1_000_000),
    Kind.SHORT_LISTING: (1, 2, 100),
}
_METHODS = {
    # The answer to a PUT has an ETag, by which the fault is noticed.
    Kind.GARBLE_REQUEST: ("PUT",),
    Kind.WRONG_ETAG: ("PUT",),
    # Listings and contents come with the answer to a GET.
    Kind.SHORT_LISTING: ("GET",),
    Kind.SHORT: ("GET",),
    Kind.GARBLE_ANSWER: ("GET",),
}
_TARGETS = {
    Kind.GARBLE_REQUEST: [Target.SEGMENT, Target.IMAGE],
    Kind.WRONG_ETAG: [Target.SEGMENT, Target.IMAGE],
    Kind.STORED_503: [Target.SEGMENT, Target.IMAGE],
    Kind.SHORT_LISTING: [Target.LISTING],
}


class Action(Enum):
    """The task of the module."""

    UPLOAD = "upload"
    UPDATE = "update of metadata"
    DELETE = "delete"
    DOWNLOAD = "download"
    INFO = "info"
    ACL = "access"


# Of a module without faults: the login, a look at the image, and what it does.
_FEWEST_REQUESTS = {
    Action.UPLOAD: 9,
    Action.UPDATE: 5,
    Action.DELETE: 8,
    Action.DOWNLOAD: 4,
    Action.INFO: 4,
    Action.ACL: 5,
}


class Blow(Enum):
    """An event during the run, beside the faults of requests."""

    NONE = "nothing"
    KILL = "module killed (SIGKILL)"
    TERM = "module ended (SIGTERM)"
    OBJECT_SERVER_KILL = "object server killed (SIGKILL)"
    OBJECT_SERVER_TERM = "object server ended (SIGTERM)"
    PROXY_SERVER_KILL = "proxy server killed (SIGKILL)"
    PROXY_SERVER_TERM = "proxy server ended (SIGTERM)"
    FULL_DISK = "disk full"
    FULL_CONTAINER = "container full"
    SECOND = "second module"


_OBJECTS, _PROXY = ("ceph-osd", "radosgw") if IS_RGW else ("object", "proxy")

# The server that ends, and the signal.
SERVERS = {
    Blow.OBJECT_SERVER_KILL: (_OBJECTS, "KILL"),
    Blow.OBJECT_SERVER_TERM: (_OBJECTS, "TERM"),
    Blow.PROXY_SERVER_KILL: (_PROXY, "KILL"),
    Blow.PROXY_SERVER_TERM: (_PROXY, "TERM"),
}


@dataclass(frozen=True)
class Scenario:
    """One run.

    :param old: the writer of the existing image, as in ``WRITERS`` or ``writing.OTHERS``; None if there is no image
    :param is_same: whether the source has the content of the existing image
    :param is_cut_off: whether an earlier upload was interrupted
    :param options: of the module
    :param size: of the images, in bytes
    :param blow_after: the number of requests before the blow
    :param in_catalogue: whether the image is one of a catalogue
    """

    seed: int
    action: Action
    old: str | None
    is_same: bool
    is_cut_off: bool
    source: str
    options: dict[str, Any]
    size: int
    faults: Sequence[Fault] = field(default_factory=list)
    blow: Blow = Blow.NONE
    blow_after: int = 0
    second: Action | None = None
    in_catalogue: bool = False

    @property
    def segment_size(self) -> int:
        """The segment size of the existing images, large enough that there are few segments."""
        return max(SEGMENT, self.size // _MOST_SEGMENTS)

    def __str__(self) -> str:
        told = [self.action.value, f"over {self.old or 'nothing'}", *(["the same"] if self.is_same else [])]
        told += ["after one that was cut off"] if self.is_cut_off else []
        told += ["in a catalogue"] if self.in_catalogue else []
        told += [f"from a {self.source}"] if self.action is Action.UPLOAD else []
        told += [f"{name} {value}" for name, value in self.options.items()]
        told += [
            f"{fault.name} ({'/'.join(fault.methods)} of {'/'.join(target.value for target in fault.targets)}, "
            f"after {fault.skip}, {'always' if fault.times == _FOREVER else fault.times}, {fault.amount:g})"
            for fault in self.faults
        ]
        told += [f"{self.blow.value} after {self.blow_after}"] if self.blow is not Blow.NONE else []
        told += [f"which does {self.second.value}"] if self.second else []
        return ", ".join(told)


WRITERS = ("plain", "slo", "dlo", "Glance's DLO", "the swift CLI's SLO", "the swift CLI's DLO")


def choose(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    scenario = _choose(random.Random(seed), seed)
    if not IS_RGW:
        return scenario
    # On RGW this collection stores no SLO, but SLOs of its first release may exist.
    options = {name: "dlo" if value == "slo" else value for name, value in scenario.options.items()}
    return replace(scenario, options=options, old="an SLO of 0.1.0" if scenario.old == "slo" else scenario.old)


def _choose(dice: random.Random, seed: int) -> Scenario:
    action = dice.choices(list(Action), weights=[40, 8, 20, 20, 6, 6])[0]
    old = dice.choice((*WRITERS, None, None)) if action is Action.UPLOAD else dice.choice(WRITERS)
    blow = _choose_blow(dice, action)
    is_same = old is not None and action is Action.UPLOAD and dice.random() < 0.15
    size = dice.choices(_SIZES, weights=[20, 20, 20, 20, 20, 2])[0]
    return Scenario(
        seed=seed,
        action=action,
        old=old,
        is_same=is_same,
        # Leftovers of an image that need not change stay, because the module does not look for them.
        is_cut_off=action in (Action.UPLOAD, Action.DELETE) and not is_same and dice.random() < 0.15,
        source=_choose_source(dice, blow) if action is Action.UPLOAD else "file",
        options=_choose_options(dice, action, size),
        size=size,
        faults=_choose_faults(dice) if blow is Blow.NONE or dice.random() < 0.3 else [],
        blow=blow,
        blow_after=dice.randrange(_fewest_requests(action, size)),
        second=_choose_second(dice, action) if blow is Blow.SECOND else None,
        in_catalogue=action in (Action.UPLOAD, Action.UPDATE, Action.DELETE) and dice.random() < 0.25,
    )


def _fewest_requests(action: Action, size: int) -> int:
    """Return how many requests such a module sends at least, with the login, so that a blow comes while it runs."""
    segments = min(_MOST_SEGMENTS, size // SEGMENT)
    return _FEWEST_REQUESTS[action] + (segments if action in (Action.UPLOAD, Action.DOWNLOAD) else 0)


def _choose_blow(dice: random.Random, action: Action) -> Blow:
    """Choose a blow that can happen during the action."""
    weights = {Blow.NONE: 60, Blow.KILL: 8, Blow.TERM: 5, **dict.fromkeys(SERVERS, 2)}
    if action in (Action.UPLOAD, Action.DELETE, Action.DOWNLOAD):
        weights[Blow.SECOND] = 8
    if action in (Action.UPLOAD, Action.DOWNLOAD):
        weights[Blow.FULL_DISK] = 6
    if action in (Action.UPLOAD, Action.DELETE):
        weights[Blow.FULL_CONTAINER] = 4
    return dice.choices(list(weights), weights=list(weights.values()))[0]


def _choose_source(dice: random.Random, blow: Blow) -> str:
    if blow is Blow.FULL_DISK:
        # An upload can fill a disk only with its buffer, which only a URL has.
        return "URL"
    return dice.choice(("file", "file", "file", "URL"))


def _choose_options(dice: random.Random, action: Action, size: int) -> dict[str, Any]:
    options: dict[str, Any] = {"retries": dice.choice((0, 1, 3))}
    if action not in (Action.INFO, Action.ACL):
        options["concurrency"] = dice.choice((1, 2, 4))
    if action is Action.UPLOAD:
        options["manifest"] = dice.choice(("slo", "slo", "dlo"))
        # Sometimes another one than that of the existing image.
        options["segment_size"] = max(dice.choice((SEGMENT, SEGMENT, 2 * SEGMENT)), size // _MOST_SEGMENTS)
        if options["manifest"] == "dlo" and dice.random() < 0.25:
            options["segment_prefix"] = "image-"
        if dice.random() < 0.1:
            options["delete_after"] = 100_000
    if action is Action.DOWNLOAD:
        options["resume"] = dice.random() < 0.8
    return options


def _choose_second(dice: random.Random, action: Action) -> Action:
    if action is Action.UPLOAD:
        return dice.choice((Action.UPLOAD, Action.DELETE))
    return Action.UPLOAD


def _choose_faults(dice: random.Random) -> list[Fault]:
    return [_choose_fault(dice) for _number in range(dice.choice((1, 1, 1, 2, 3)))]


def _choose_fault(dice: random.Random) -> Fault:
    # A status is chosen more often than another kind, because there are many statuses.
    kind = dice.choice([*Kind, *[Kind.STATUS] * 6, Kind.SHORT_LISTING])
    target = dice.choice(list(Target))
    methods, targets = dice.choice(((_ALL, list(Target)), (_ALL, [target]), ((dice.choice(_ASKED[target]),), [target])))
    skip = dice.choice((0, 1, dice.randrange(8), dice.randrange(25)))
    times = dice.choice((1, 1, 2, _FOREVER))
    fault = Fault(kind, methods, targets, skip, times)
    _choose_amount(dice, fault)
    _choose_requests(dice, fault)
    if kind is Kind.STATUS:
        fault.status = dice.choice(_STATUSES)
        fault.retry_after = dice.choice((None, 0, 1)) if fault.status in _WAITED_FOR else None
    return fault


def _choose_amount(dice: random.Random, fault: Fault) -> None:
    """Choose the amount of a fault, if its kind has one."""
    if fault.kind in _AMOUNTS:
        fault.amount = dice.choice(_AMOUNTS[fault.kind])
    elif fault.kind is Kind.DELAY:
        fault.amount = dice.uniform(0.1, 1.0)
        fault.times = min(fault.times, 3)
    elif fault.kind is Kind.STALL:
        fault.amount = STALL_SECONDS


def _choose_requests(dice: random.Random, fault: Fault) -> None:
    """Limit a fault to the requests that its kind can affect."""
    if fault.kind is Kind.STORED_503:
        fault.methods = dice.choice((_CHANGING, ("PUT",), ("DELETE",), ("POST",)))
    fault.methods = _METHODS.get(fault.kind, fault.methods)
    fault.targets = _TARGETS.get(fault.kind, fault.targets)
