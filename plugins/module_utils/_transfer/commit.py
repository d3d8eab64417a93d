# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of an upload: note the objects to delete, replace the image, and delete the objects that it does not need.

Until the new manifest is stored, the name keeps its old image, and nothing that the old image needs changes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from .._context import RunContext
from .._errors import AppearedError, ConflictError, ForbiddenError, ImageStoreError, QuotaError
from .._model.headers import content_headers, last_modified_of
from .._model.image import Image, ManifestKind, Segment
from .._storage.image_object import ImageObject
from .._storage.journal import Journal, write_journals
from .._storage.leftovers import Leftovers, delete_leftovers, without
from .._storage.manifest import read_image, write_manifest
from .._storage.ownership import Ownership, expire_segments
from .._storage.races import are_headers_of, guarded_name, is_another_upload_running
from .._storage.segments import delete_segments
from .plan import SentImage, UploadPlan, superseded, with_pending_note
from .recovery import take_back


class Commit:
    """The last step of an upload that has sent its bytes.

    :param ownership: of the current image
    """

    def __init__(
        self, target: ImageObject, plan: UploadPlan, sent: SentImage, ownership: Ownership, context: RunContext
    ) -> None:
        self._target = target
        self._plan = plan
        self._sent = sent
        self._ownership = ownership
        self._context = context
        self._superseded = superseded(sent.image, self._deletable(), sent.in_vain)
        self.image = with_pending_note(sent.image, bool(self._superseded or ownership.leftovers.journals))
        self._journals: list[Journal] = list(ownership.leftovers.journals)

    def write_journal(self) -> None:
        """Note in a journal the segments that no later run finds once the current manifest is replaced."""
        unlisted = self._ownership.unlisted(self._superseded)
        if unlisted:
            self._journals += write_journals(self._target, unlisted)

    def put_manifest(self) -> None:
        """Store the manifest of the new image, whose segments are stored already."""
        kept = {segment.path for segment in self.image.objects}
        self._delete(without(self._plan.under_prefix, kept))
        try:
            with guarded_name(self._target, self.image, self._plan.current) as conditions:
                write_manifest(self._target, self.image, conditions)
        except (ConflictError, QuotaError, ForbiddenError) as error:
            # Swift refused the manifest, and a retry would not help.
            if not isinstance(error, AppearedError):
                take_back(self._target, error, self._sent.stored, self._context.concurrency)
            raise
        except ImageStoreError as error:
            # One of several tries may have stored the manifest, which needs its segments.
            error.add("The segments that were sent are kept, because the manifest may have been stored: run again.")
            raise

    def finish(self) -> Image:
        """Let the segments expire with the image, and delete what it replaced.

        :returns: the image, with the time that Swift gave it
        """
        image, target = self.image, self._target
        rest = Leftovers(tuple(self._superseded_for_good()), tuple(self._journals))
        if image.delete_at is not None:
            expire_segments(target.client, self._ownership, image, self._context.concurrency)
        headers = target.head() or {}
        if not are_headers_of(image, headers):
            self._context.warn(
                "Another upload of this image ended after this one, and its image is the current one now."
                if headers
                else "The image does not exist: another client deleted the new image, or Swift does not show it."
            )
            self._yield_to_other(rest)
            return replace(image, is_pending=False)
        if image.is_pending:
            self._delete_replaced(rest)
            image = replace(image, is_pending=False)
            target.post(content_headers(image))
            headers = target.head() or {}
        return replace(image, last_modified=last_modified_of(headers))

    def discard(self) -> None:
        """Delete the sent segments and their leftovers, because the current image has the same bytes."""
        stored = self._sent.stored
        kept = {segment.path for segment in self.image.objects}
        self._delete(without({*stored, *self._superseded_for_good(stored)}, kept))

    def _deletable(self) -> list[Segment]:
        return self._ownership.deletable(self._sent.image)

    def _superseded_for_good(self, stored: Collection[Segment] = ()) -> list[Segment]:
        """Return the superseded segments, except those to which the manifest of a running upload may refer.

        :param stored: the segments that this upload has stored beside the image
        """
        own = self._plan.own_paths.union(segment.path for segment in self._sent.in_vain)
        if all(segment.path in own for segment in self._superseded):
            return self._superseded
        known = own.union(segment.path for segment in (*self._plan.leftovers.segments, *self.image.objects, *stored))
        if not is_another_upload_running(self._target, known):
            return self._superseded
        return [segment for segment in self._superseded if segment.path in own]

    def _yield_to_other(self, rest: Leftovers) -> None:
        """Delete the objects that the other image does not need.

        If Swift shows no image, this upload's image may exist all the same, and keeps its segments.
        """
        current = read_image(self._target) or self.image
        named = {segment.path for segment in current.objects}
        sent: Sequence[Segment] = self.image.objects
        older: Sequence[Segment] = rest.segments
        if current.hides_segments:
            # A manifest that the store does not return may name any segment, but for those of this generation.
            sent, older = (sent if self.image.kind is ManifestKind.DLO else ()), ()
        useless = {one.path: one for one in (*sent, *older) if one.path not in named}
        delete_leftovers(self._target, replace(rest, segments=tuple(useless.values())), self._context.concurrency)

    def _delete_replaced(self, rest: Leftovers) -> None:
        try:
            delete_leftovers(self._target, rest, self._context.concurrency)
        except ImageStoreError as error:
            error.add(
                "These are segments of the replaced image. The new image is stored and complete: run again to delete "
                "the old segments."
            )
            raise

    def _delete(self, segments: Collection[Segment]) -> None:
        delete_segments(self._target.client, segments, self._context.concurrency)
