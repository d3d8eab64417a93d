#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that makes one image present or absent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image
short_description: Manage an image in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Uploads a VM or disk image to an OpenStack Swift object store, or deletes it.
  - An image larger than O(large_object_size) is split into segments with a manifest, in the same way as Glance's Swift
    driver, the swift CLI and rclone do. All of them can read the image.
  - The module compares the image in the store with its source by content, segment by segment, whichever client wrote
    it. It does not download the image for this comparison.
  - The next run resumes an interrupted upload. For a static large object, the module uploads only the segments that
    changed.
  - The image's name always refers to the complete old image, the complete new image, or nothing. The module writes the
    manifest after all segments, and then deletes the segments of a replaced image.
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
      - The path of the image's file, block device or FIFO on the host that runs the task.
      - The module does not read the holes of a sparse file, and stores segments that are all zeros once.
      - If the file changes during the upload, the task fails and leaves nothing behind.
      - A FIFO is read in check mode, too, because the result depends on its bytes.
      - This option or O(url) is required with O(state=present).
    type: path
  url:
    description:
      - The HTTP or HTTPS URL of the image.
      - The host that runs the task requests it, and uploads it to Swift segment by segment. It does not store the whole
        image.
      - The module does not download the image again if it is unchanged since it was stored. It compares the server's
        C(ETag), or C(Last-Modified) and C(Content-Length). An C(ETag) that changes with each request is ignored.
        O(checksum) takes precedence.
      - An interrupted download resumes if the server sends a strong validator, up to O(retries) times without progress.
        Otherwise the module reads the file from the beginning again, and compares the bytes that it has read before.
      - If the server does not send the length, O(size) or O(checksum) is required. The module refuses a web page
        (C(text/html)) unless O(content_type) or O(checksum) is set, or the page's name ends in C(.html).
      - The module decompresses content that the server compressed with C(gzip) or C(deflate) for the transfer, unless
        O(checksum) is the digest of the compressed bytes.
      - The module follows at most ten redirects. It follows a redirect from https to http only if O(checksum) is a
        digest and no credentials are set. It encodes invalid characters in the URL as browsers do.
    type: str
  checksum:
    description:
      - The expected digest of the source, as C(<algorithm>:<hex digits>), or as C(<algorithm>:<URL or path>) of a
        checksum file. A path is on the host that runs the task, and must contain a slash.
      - The checksum file can be the output of C(sha256sum), C(openssl dgst), C(gpg --print-md) or BSD tools, signed or
        not, or a single digest.
      - The module searches the checksum file for the name of the source. If several folders in it have that name, the
        source's folder decides. To search for a different name, append C(#other-name).
      - The module checks the digest before the image becomes visible, and records it with the image. If the same digest
        is already recorded, the module does not read the source, which does not need to exist any more.
      - The algorithms are the choices of O(hash_algorithms).
    type: str
  size:
    description:
      - The expected size of the source in bytes.
      - If the source has a different size, the task fails and leaves nothing behind.
      - The size of a FIFO is unknown. With this option, the module can choose segments that are large enough for it.
    type: int
  segment_prefix:
    description:
      - The prefix of the names of a dynamic large object's segments. The default is a name in C(.segments/) that no
        other image can share.
      - The prefix must end in C(-), as Glance's C(<name>-), or in C(/). Segment numbers have five digits after C(-),
        and eight after C(/).
      - The module refuses a prefix that the names of other objects begin with, because these would become part of the
        image.
      - The module does not overwrite the segments of an existing image. The segments of the new image are stored in
        C(.segments/) instead.
      - Requires O(manifest=dlo). With O(state=absent), the module also deletes segments with this prefix that an
        interrupted upload left behind.
    type: str
seealso:
  - module: imagestore.swift.swift_image_info
  - module: openstack.cloud.object
  - name: Swift's large objects
    description: How static and dynamic large objects work.
    link: https://docs.openstack.org/swift/latest/overview_large_objects.html
"""

EXAMPLES = r"""
- name: Upload an image
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

- name: Upload an image to a store with v1 authentication, in segments of 64 MiB
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

- name: Upload an image to a location of Glance
  imagestore.swift.swift_image:
    uri: "swift+https://images%3Aglance:{{ glance_key }}@auth.example.com/v3/glance/debian-12"
    src: /srv/images/debian-12.raw
  vars:
    glance_key: "{{ glance_password | urlencode | replace('/', '%2F') }}"

- name: Upload an image to its own container, as in Glance's multi-tenant store
  imagestore.swift.swift_image:
    cloud: images
    multi_tenant: true
    create_container: true
    name: 2a8d4b8e-9d0f-4a5c-8a8e-0e4f3c1b7d55
    src: /srv/images/debian-12.raw

- name: Upload an image from a URL after checking its checksum
  imagestore.swift.swift_image:
    cloud: images
    name: debian-12
    url: https://images.example.com/debian-12-generic-amd64.raw
    checksum: sha512:https://images.example.com/SHA512SUMS

- name: Upload an image only if its publisher signed its checksum
  imagestore.swift.swift_image:
    cloud: images
    name: ubuntu-24.04
    url: https://images.example.com/noble/current/noble-server-cloudimg-amd64.img
    checksum: sha256:https://images.example.com/noble/current/SHA256SUMS
    checksum_signature: https://images.example.com/noble/current/SHA256SUMS.gpg
    checksum_keyring: /usr/share/keyrings/ubuntu-cloudimage-keyring.gpg

- name: Upload the image of a build, and let it expire after a week
  imagestore.swift.swift_image:
    cloud: images
    name: nightly
    src: /srv/images/nightly.raw
    delete_after: 604800

- name: Upload the output of another program, with segments named like Glance's
  imagestore.swift.swift_image:
    cloud: images
    name: 5f3a0c1e-4a58-4c57-9a43-9d1f6c1b8f10
    src: /run/images/fifo
    manifest: dlo
    segment_prefix: 5f3a0c1e-4a58-4c57-9a43-9d1f6c1b8f10-

- name: Delete an image
  imagestore.swift.swift_image:
    cloud: images
    name: debian-11
    state: absent
"""

RETURN = r"""
image:
  description: The image after the task. In check mode, this is a prediction without the values that only Swift
    knows.
  returned: success
  type: dict
  contains:
    name:
      description: The image's name.
      returned: always
      type: str
    container:
      description: The image's container.
      returned: always
      type: str
    uri:
      description: The image's location in Glance's format, with the storage URL and without credentials.
      returned: always
      type: str
      sample: swift+https://swift.example.com/v1/AUTH_27f1/glance/debian-12
    exists:
      description: Whether the image exists.
      returned: always
      type: bool
    size:
      description: The image's size in bytes.
      returned: when it exists
      type: int
    etag:
      description: The image's ETag, which is a plain object's MD5, or the MD5 of a large object's segment ETags.
      returned: when it exists
      type: str
    checksums:
      description: Hex digests of the whole image by algorithm, if they are known.
      returned: when it exists
      type: dict
      sample:
        md5: 0cc175b9c0f1b6a831c399e269772661
    manifest:
      description: The type of the image's manifest, V(slo) or V(dlo), or V(none) for a plain object.
      returned: when it exists
      type: str
    segments:
      description: How many segments the image has.
      returned: when it exists
      type: int
    symlink:
      description: The target of the image's name, if the name is a symlink.
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
          description: The target's account, or V(null) for the account of the symlink.
          returned: always
          type: str
    segment_container:
      description: The container of the image's segments, or V(null) for a plain object.
      returned: when it exists
      type: str
    segment_prefix:
      description: The prefix in the image's manifest, or V(null) unless the image is a dynamic large object.
      returned: when it exists
      type: str
    content_type:
      description: The image's media type.
      returned: when it exists
      type: str
    metadata:
      description: The image's metadata, with names in lower case.
      returned: when it exists
      type: dict
    last_modified:
      description: When the image was last changed, in UTC. V(null) in check mode if this would change.
      returned: when it exists
      type: str
      sample: "2026-11-22T17:49:35Z"
    delete_at:
      description: When Swift removes the image, in seconds since the epoch, or V(null) for never.
      returned: when it exists
      type: int
transfer:
  description: Statistics of the upload. In check mode, these are predictions.
  returned: success and O(state=present)
  type: dict
  contains:
    bytes_uploaded:
      description: How many bytes of the image were uploaded.
      returned: always
      type: int
    bytes_reused:
      description: How many bytes of the image were already in the store.
      returned: always
      type: int
    segments_uploaded:
      description: How many segments were uploaded.
      returned: always
      type: int
    segments_reused:
      description: How many segments were already in the store, or occur more than once in the image.
      returned: always
      type: int
    retries:
      description: How often a request was retried.
      returned: always
      type: int
    seconds:
      description: The duration in seconds.
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
