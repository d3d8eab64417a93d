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
  - Downloads an image from an OpenStack Swift object store to a file, whichever client wrote the image.
  - The module downloads segments in parallel, and compares each with its MD5 in the image's manifest. It compares the
    whole image with O(checksum), if that is set.
  - If no manifest lists the segments, the module compares the whole image with the recorded digests. It compares a
    plain object with its ETag.
  - The module replaces the file only after it has downloaded and checked the whole image. Until then, the old file does
    not change.
  - A file that already has the content of the image is not changed.
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
      - The path of the file on the host that runs the task.
      - If this is an existing folder, or ends in a slash, the file has the last part of the image's name.
      - The module follows a symlink in the path if it belongs to root or to the user who runs the task.
    type: path
    required: true
  checksum:
    description:
      - The expected digest of the image, as C(<algorithm>:<hex digits>), or as C(<algorithm>:<URL or path>) of a
        checksum file. A path is on the host that runs the task, and must contain a slash.
      - The checksum file can be the output of C(sha256sum), C(openssl dgst), C(gpg --print-md) or BSD tools, signed or
        not, or a single digest.
      - The module searches the checksum file for the name of the image. If several folders in it have that name, the
        image's folder decides. To search for a different name, append C(#other-name).
      - The algorithms are V(md5), V(sha1), V(sha224), V(sha256), V(sha384) and V(sha512).
    type: str
  force:
    description:
      - Whether to replace a file that has different content.
      - With V(false), the module downloads the image only if the file does not exist.
    type: bool
    default: true
  backup:
    description:
      - Whether to create a backup of a file that is replaced. The backup's name includes a timestamp.
    type: bool
    default: false
  resume:
    description:
      - Whether the next run resumes an interrupted download, as long as the image is still the same.
      - The partial file is in the same folder as the file, and its name begins with a dot. The module checks its
        content again, with the MD5s of the image's segments, or as a whole.
      - If two tasks download to the same file, one waits for the other.
    type: bool
    default: true
  concurrency:
    description: How many parts of the image to download in parallel.
    type: int
    default: 4
notes:
  - Segments that are all zeros become holes of a new file, and are not downloaded. With O(unsafe_writes), a file that
    cannot be replaced has no holes.
  - O(segment_container) has no effect here, because the image's manifest refers to its segments.
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
- name: Download an image
  imagestore.swift.swift_image_download:
    cloud: images
    name: debian-12
    dest: /srv/images/debian-12.raw
    mode: "0644"

- name: Download a public image without credentials, and check its checksum
  imagestore.swift.swift_image_download:
    auth_type: none
    uri: swift+https://swift.example.com/v1/AUTH_27f1/public/debian-12
    dest: /srv/images/
    checksum: sha256:https://images.example.com/SHA256SUMS
"""

RETURN = r"""
backup_file:
  description: The path of the backup of the replaced file.
  returned: changed, and O(backup=true)
  type: str
  sample: /srv/images/debian-12.raw.15116.2026-11-29@12:00:00~
dest:
  description: The path of the file.
  returned: success
  type: str
  sample: /srv/images/debian-12.raw
size:
  description: The image's size in bytes.
  returned: success
  type: int
checksums:
  description: Hex digests of the whole image by algorithm, if they are recorded with it.
  returned: success
  type: dict
uri:
  description: The image's location in Glance's format, with the storage URL and without credentials.
  returned: success
  type: str
transfer:
  description: Statistics of the download.
  returned: success
  type: dict
  contains:
    bytes_downloaded:
      description: How many bytes of the image were downloaded.
      returned: always
      type: int
    bytes_reused:
      description: How many bytes were already in the file or in a partial download, or are zeros.
      returned: always
      type: int
    retries:
      description: How often a request was retried or a download was resumed.
      returned: always
      type: int
    seconds:
      description: The duration in seconds.
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
