#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that makes one image present or absent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image
short_description: Keep an image in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Puts a VM or disk image into an OpenStack Swift object store, or takes it away.
  - An image larger than O(large_object_size) is cut into segments under a manifest, as Glance's Swift driver, the
    swift CLI and rclone do, all of which can read it.
  - Whether the image in the store is the same is judged by its content, segment by segment, whoever put it there.
    Nothing of it is downloaded for that.
  - An upload that was cut off is gone on with by the next run, and of a static large object only the segments that
    changed are sent.
  - Under the image's name there is the old image, the new one, or nothing, but never a part. The manifest is written
    when all segments are there, and the segments of a replaced image are deleted after that.
extends_documentation_fragment:
  - imagestore.swift.attributes
  - imagestore.swift.connection
  - imagestore.swift.image
  - imagestore.swift.image.source
  - imagestore.swift.location
  - imagestore.swift.location.segments
  - imagestore.swift.location.placement
  - imagestore.swift.location.store
  - imagestore.swift.progress
  - imagestore.swift.image.checksum
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  src:
    description:
      - The image's file, block device or FIFO, on the host that runs the task.
      - Of a sparse file the holes are not read, and segments that are all zeros are stored once.
      - A file that is written to meanwhile is an error, and leaves nothing behind.
      - A FIFO is read in check mode, too, because only its bytes tell what the run would do.
      - This or O(url) is needed with O(state=present).
    type: path
  url:
    description:
      - The image's address, of HTTP or HTTPS. It is asked for by the host that runs the task, and goes to Swift segment
        by segment, without being kept as a whole.
      - If it has not changed since the image was stored, by its server's C(ETag), or by C(Last-Modified) and
        C(Content-Length), it is not downloaded again. O(checksum) goes before that. An C(ETag) that changes with each
        request does not count.
      - A broken download resumes if the server tells a strong validator, up to O(retries) times without progress.
        Otherwise the file is read from the beginning again, and what was read before is compared.
      - A server that tells no length needs O(size) or O(checksum). A page (C(text/html)) is refused unless
        O(content_type) or O(checksum) is given, or its name ends in C(.html).
      - Bytes that the server packed by C(gzip) or C(deflate) on the way are unpacked, unless O(checksum) is that of the
        packed bytes.
      - At most ten redirects are followed, from https to http only if O(checksum) is a digest and no credentials are
        given. Characters that an address can't have are encoded as browsers do.
    type: str
  checksum:
    description:
      - The digest that the source must have, as C(<algorithm>:<hex digits>), or as C(<algorithm>:<URL or path>) of a
        checksum file. A path is one on the host that runs the task, and has a slash in it.
      - The checksum file may be what C(sha256sum), C(openssl dgst), C(gpg --print-md) or BSD's tools write, signed or
        not, or a digest alone. The source's name is looked for in it. If several folders have that name, the folder of
        the source decides. C(#other-name) at the end names another one.
      - It is checked before the image can be seen, and recorded with it. If the same digest is recorded already, the
        source is not read, and need not exist any more.
      - The algorithms are those of O(hash_algorithms).
    type: str
  size:
    description:
      - How many bytes the source has to have. More or less than that is an error, and leaves nothing behind.
      - A FIFO says nothing of its size. With this, segments can be chosen large enough for it.
    type: int
  segment_prefix:
    description:
      - What the names of a dynamic large object's segments begin with, instead of a name in C(.segments/) that no other
        image can share.
      - It ends in C(-), as Glance's C(<name>-), which five digits follow, or in C(/), which eight follow.
      - Where other objects begin with it, it is refused, because they would become a part of the image.
      - The segments of an image that stands there are not written over. The image that replaces it has its own in
        C(.segments/).
      - Only with O(manifest=dlo). With O(state=absent), segments there that an upload left behind go, too.
    type: str
seealso:
  - module: imagestore.swift.swift_image_info
  - module: openstack.cloud.object
  - name: Swift's large objects
    description: How static and dynamic large objects work.
    link: https://docs.openstack.org/swift/latest/overview_large_objects.html
"""

EXAMPLES = r"""
- name: Put an image into the store
  imagestore.swift.swift_image:
    cloud: images
    container: glance
    create_container: true
    name: debian-12
    src: /srv/images/debian-12.raw
    metadata:
      os-distro: debian
      os-version: "12"

- name: Show what a new build of the image would change
  imagestore.swift.swift_image:
    cloud: images
    name: debian-12
    src: /srv/images/debian-12-new.raw
  check_mode: true
  diff: true

- name: Put an image into a store with v1 authentication, in segments of 64 MiB
  imagestore.swift.swift_image:
    auth_type: v1password
    auth:
      auth_url: https://swift.example.com/auth/v1.0
      username: images:operator
      password: "{{ swift_key }}"
    container: glance
    name: windows-2022
    src: /srv/images/windows-2022.raw
    segment_size: 64MiB
    manifest: dlo
    hash_algorithms: [md5, sha512]

- name: Put an image where Glance's location says
  imagestore.swift.swift_image:
    uri: "swift+https://images%3Aglance:{{ glance_key }}@auth.example.com/v3/glance/debian-12"
    src: /srv/images/debian-12.raw
  vars:
    glance_key: "{{ glance_password | urlencode | replace('/', '%2F') }}"

- name: Put an image into a container of its own, as in Glance's multi-tenant store
  imagestore.swift.swift_image:
    cloud: images
    multi_tenant: true
    create_container: true
    name: 2a8d4b8e-9d0f-4a5c-8a8e-0e4f3c1b7d55
    src: /srv/images/debian-12.raw

- name: Put an image into the store from where it is published, if its checksum is right
  imagestore.swift.swift_image:
    cloud: images
    name: debian-12
    url: https://images.example.com/debian-12-generic-amd64.raw
    checksum: sha512:https://images.example.com/SHA512SUMS

- name: Put an image into the store only if its publisher signed its checksum
  imagestore.swift.swift_image:
    cloud: images
    name: ubuntu-24.04
    url: https://images.example.com/noble/current/noble-server-cloudimg-amd64.img
    checksum: sha256:https://images.example.com/noble/current/SHA256SUMS
    checksum_signature: https://images.example.com/noble/current/SHA256SUMS.gpg
    checksum_keyring: /usr/share/keyrings/ubuntu-cloudimage-keyring.gpg

- name: Keep a build's image for a week
  imagestore.swift.swift_image:
    cloud: images
    name: nightly
    src: /srv/images/nightly.raw
    delete_after: 604800

- name: Put what another program writes into the store, named as Glance names segments
  imagestore.swift.swift_image:
    cloud: images
    name: 5f3a0c1e-4a58-4c57-9a43-9d1f6c1b8f10
    src: /run/images/fifo
    manifest: dlo
    segment_prefix: 5f3a0c1e-4a58-4c57-9a43-9d1f6c1b8f10-

- name: Take an image away
  imagestore.swift.swift_image:
    cloud: images
    name: debian-11
    state: absent
"""

RETURN = r"""
image:
  description: The image as this task leaves it. In check mode, as it would, without what only Swift can tell.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
    container:
      description: Its container.
      returned: always
      type: str
    uri:
      description: Its location in Glance's grammar, with the storage URL and without credentials.
      returned: always
      type: str
      sample: swift+https://swift.example.com/v1/AUTH_27f1/glance/debian-12
    exists:
      description: Whether there is such an image.
      returned: always
      type: bool
    size:
      description: Its size in bytes.
      returned: when it exists
      type: int
    etag:
      description: Its ETag, a plain object's MD5, or for a large one the MD5 of its segments' ETags.
      returned: when it exists
      type: str
    checksums:
      description: Hex digests of the whole image by algorithm, as far as they are known.
      returned: when it exists
      type: dict
      sample:
        md5: 0cc175b9c0f1b6a831c399e269772661
    manifest:
      description: Its kind, V(none) for a plain object, V(slo) or V(dlo).
      returned: when it exists
      type: str
    segments:
      description: How many segments it has.
      returned: when it exists
      type: int
    symlink:
      description: What the image's name leads to if it is a symlink.
      returned: when the name is a symlink
      type: dict
      contains:
        container:
          description: The target's container.
          returned: always
          type: str
        name:
          description: The target's name.
          returned: always
          type: str
        account:
          description: The target's account, null for the link's own.
          returned: always
          type: str
    segment_container:
      description: The container of its segments, null for a plain object.
      returned: when it exists
      type: str
    segment_prefix:
      description: The prefix that its manifest names, null where it is no dynamic large object.
      returned: when it exists
      type: str
    content_type:
      description: Its media type.
      returned: when it exists
      type: str
    metadata:
      description: Its metadata, names in lower case.
      returned: when it exists
      type: dict
    last_modified:
      description: When it was last changed, in UTC. Null in check mode where that would change.
      returned: when it exists
      type: str
      sample: "2026-11-22T17:49:35Z"
    delete_at:
      description: When Swift is to remove it, in seconds since the epoch, or null.
      returned: when it exists
      type: int
transfer:
  description: What was sent, and what that took. In check mode, what would be sent.
  returned: success and O(state=present)
  type: dict
  contains:
    bytes_uploaded:
      description: Bytes of the image that were sent.
      returned: always
      type: int
    bytes_reused:
      description: Bytes of the image that were in the store already.
      returned: always
      type: int
    segments_uploaded:
      description: Segments that were sent.
      returned: always
      type: int
    segments_reused:
      description: Segments that were in the store already, or that are named more than once.
      returned: always
      type: int
    retries:
      description: How often a request was tried again.
      returned: always
      type: int
    seconds:
      description: How long it all took.
      returned: always
      type: float
"""

import time
from dataclasses import asdict, replace

from ansible_collections.imagestore.swift.plugins.module_utils._ansible import image_options, options, source_options
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.runner import Result, Task, run
from ansible_collections.imagestore.swift.plugins.module_utils._model.location import Location
from ansible_collections.imagestore.swift.plugins.module_utils._model.names import check_prefix
from ansible_collections.imagestore.swift.plugins.module_utils._model.spec import ImageSpec
from ansible_collections.imagestore.swift.plugins.module_utils._operations.absent import AbsentImage
from ansible_collections.imagestore.swift.plugins.module_utils._operations.change import (
    Change,
    describe,
    describe_transfer,
)
from ansible_collections.imagestore.swift.plugins.module_utils._operations.present import PresentImage
from ansible_collections.imagestore.swift.plugins.module_utils._source.reader import SourceSpec
from ansible_collections.imagestore.swift.plugins.module_utils._storage.image_object import ImageObject
from ansible_collections.imagestore.swift.plugins.module_utils._transfer.dedup import DedupIndex

SPEC = (
    options.LOCATION
    + options.TRANSFER
    + source_options.CONTENT
    + source_options.REQUEST
    + source_options.BUFFER
    + image_options.IMAGE
    + image_options.PREFIX
    + image_options.STORING
    + options.ArgumentSpec(required_if=[("state", "present", ("src", "url"), True)])
)


def main() -> None:
    """Run the module."""
    run(SPEC, job)


def job(task: Task) -> Result:
    """Do what the options say; return the module's result."""
    params = task.params
    location = options.read_location(params)
    if params["state"] == "absent":
        return make_absent(task, location)
    source_spec = source_options.read_source_spec(params, task.temporary_folder)
    spec = image_options.read_image_spec(params, location)
    # The checksum is read last, because it may take a request to a web server.
    return make_present(task, location, source_spec, replace(spec, checksum=source_options.read_checksum(params)))


def make_present(task: Task, location: Location, source_spec: SourceSpec, spec: ImageSpec) -> Result:
    """Let the image be present; return the module's result."""
    begin = time.monotonic()
    with task.connect() as client:
        image = PresentImage(ImageObject(client, location), task.context, DedupIndex())
        change, transfer = image.reconcile(source_spec, spec)
        return {
            **result(change, client.storage_url),
            "transfer": describe_transfer(asdict(transfer), client.retried, time.monotonic() - begin),
        }


def make_absent(task: Task, location: Location) -> Result:
    """Let the image be absent; return the module's result."""
    segment_prefix = check_prefix(task.params["segment_prefix"], location.name)
    with task.connect() as client:
        target = ImageObject(client, location)
        image = AbsentImage(target, task.context, task.params["force_segments"], segment_prefix)
        return result(image.reconcile(), client.storage_url)


def result(change: Change, storage_url: str) -> Result:
    """Return the part of the result that both states have."""
    return {
        "changed": change.changed,
        "diff": change.diff(),
        "image": describe(change.location, change.after, storage_url),
    }


if __name__ == "__main__":
    main()
