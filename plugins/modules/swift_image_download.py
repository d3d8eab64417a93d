#!/usr/bin/python
# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that downloads an image to a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_image_download
short_description: Download an image from a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Lets a file hold what an image in an OpenStack Swift object store holds, whoever put it there.
  - Segments are fetched side by side, and each is compared with its MD5 in the image's manifest. The whole is compared
    with O(checksum) if that is given, and with the recorded digests if no manifest lists the segments. A plain object
    is compared with its ETag.
  - The file appears under its name when it is whole and right, and not before. Until then the old one is as it was.
  - A file that holds the image is left alone. That is judged by content.
extends_documentation_fragment:
  - ansible.builtin.files
  - imagestore.swift.attributes
  - imagestore.swift.connection
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
  dest:
    description:
      - The file, on the host that runs the task.
      - In a folder that exists, or if it ends in a slash, the file is called as the last part of the image's name.
      - A symlink in its path is followed if it belongs to root or to the user who runs the task.
    type: path
    required: true
  checksum:
    description:
      - The digest that the image must have, as C(<algorithm>:<hex digits>), or as C(<algorithm>:<URL or path>) of a
        checksum file. A path is one on the host that runs the task, and has a slash in it.
      - The checksum file may be what C(sha256sum), C(openssl dgst), C(gpg --print-md) or BSD's tools write, signed or
        not, or a digest alone. The image's name is looked for in it. If several folders have that name, the folder of
        the image decides. C(#other-name) at the end names another one.
      - The algorithms are V(md5), V(sha1), V(sha224), V(sha256), V(sha384) and V(sha512).
    type: str
  force:
    description:
      - With V(true) a file with other content is replaced.
      - With V(false) the image is downloaded only when there is no such file.
    type: bool
    default: true
  backup:
    description:
      - Whether to copy a file that is replaced to a name with the time in it, so that it can be brought back.
    type: bool
    default: false
  resume:
    description:
      - Whether the next run resumes an interrupted download, as long as the image is still the same.
      - The part is kept beside the file, under a name that begins with a dot. What it holds is compared again, with the
        MD5s of the image's segments, or as a whole.
      - Two downloads of one file wait for each other.
    type: bool
    default: true
  concurrency:
    description: How many parts are fetched at the same time.
    type: int
    default: 4
notes:
  - Segments that are all zeros become holes of a new file, and are not fetched. With O(unsafe_writes) a file that can't
    be replaced has no holes.
  - O(segment_container) has no meaning here. The image's manifest says where its segments are.
seealso:
  - module: imagestore.swift.swift_image
  - module: imagestore.swift.swift_image_info
  - module: openstack.cloud.object
  - module: ansible.builtin.get_url
  - name: Swift's large objects
    description: How static and dynamic large objects work.
    link: https://docs.openstack.org/swift/latest/overview_large_objects.html
"""

EXAMPLES = r"""
- name: Have an image on this host
  imagestore.swift.swift_image_download:
    cloud: images
    name: debian-12
    dest: /srv/images/debian-12.raw
    mode: "0644"

- name: Have a public image, without credentials, if it is the right one
  imagestore.swift.swift_image_download:
    auth_type: none
    uri: swift+https://swift.example.com/v1/AUTH_27f1/public/debian-12
    dest: /srv/images/
    checksum: sha256:https://images.example.com/SHA256SUMS
"""

RETURN = r"""
backup_file:
  description: The copy of the file that was replaced.
  returned: changed, and O(backup=true)
  type: str
  sample: /srv/images/debian-12.raw.15116.2026-11-29@12:00:00~
dest:
  description: The file.
  returned: success
  type: str
  sample: /srv/images/debian-12.raw
size:
  description: The image's size in bytes.
  returned: success
  type: int
checksums:
  description: Hex digests of the whole image by algorithm, as far as they are recorded with it.
  returned: success
  type: dict
uri:
  description: The image's location in Glance's grammar, with the storage URL and without credentials.
  returned: success
  type: str
transfer:
  description: What was fetched, and what that took.
  returned: success
  type: dict
  contains:
    bytes_downloaded:
      description: Bytes of the image that were fetched.
      returned: always
      type: int
    bytes_reused:
      description: Bytes that were there, from the file or from a download that was cut off, or that are zeros.
      returned: always
      type: int
    retries:
      description: How often a request was tried again, or a download gone on with.
      returned: always
      type: int
    seconds:
      description: How long it all took.
      returned: always
      type: float
"""

import time
from dataclasses import asdict

from ansible_collections.imagestore.swift.plugins.module_utils._ansible import options
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.runner import Result, Task, run
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.source_options import (
    CHECKSUM,
    read_plain_checksum,
)
from ansible_collections.imagestore.swift.plugins.module_utils._operations.change import describe_transfer
from ansible_collections.imagestore.swift.plugins.module_utils._operations.download import (
    DownloadSpec,
    ImageDownload,
    target_of,
)
from ansible_collections.imagestore.swift.plugins.module_utils._storage.image_object import ImageObject

SPEC = (
    options.LOCATION
    + options.TRANSFER
    + CHECKSUM
    + options.ArgumentSpec(
        {
            "dest": {"type": "path", "required": True},
            "force": {"type": "bool", "default": True},
            "backup": {"type": "bool", "default": False},
            "resume": {"type": "bool", "default": True},
            "concurrency": {"type": "int", "default": 4},
        }
    )
)


def main() -> None:
    """Run the module."""
    run(SPEC, job, writes_file=True)


def job(task: Task) -> Result:
    """Download the image as the options say; return the module's result."""
    begin = time.monotonic()
    params = task.params
    location = options.read_location(params)
    spec = DownloadSpec(
        target=target_of(params["dest"], location.name),
        force=params["force"],
        resume=params["resume"],
        retries=options.check_at_least("retries", params["retries"], 0),
        checksum=read_plain_checksum(params, location.name),
        spare_folder=task.temporary_folder if params["unsafe_writes"] else None,
    )
    with task.connect() as client:
        done = ImageDownload(ImageObject(client, location), spec, task.context, task.place).run()
        diff = done.diff(spec.target)
        changed = not done.is_there
        if done.is_there:
            changed = task.set_attributes(spec.target, diff)
        backup = {} if done.backup is None else {"backup_file": done.backup}
        return {
            **backup,
            "changed": changed,
            "diff": diff,
            "dest": spec.target,
            "size": done.image.size,
            "checksums": dict(done.image.checksums),
            "uri": location.uri(client.storage_url),
            "transfer": describe_transfer(asdict(done.received), client.retried, time.monotonic() - begin),
        }


if __name__ == "__main__":
    main()
