# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that makes the images of a catalogue present or absent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_images
short_description: Manage a catalogue of images in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Manages many images in parallel, each in the same way as M(imagestore.swift.swift_image), with a single login and a
    single listing of their container.
  - The listing only shows which images are new. The module sends at least one request for each image that exists.
  - If an image fails, the module continues with the others. The task then fails with the names of the failed images.
    The next run continues with the remaining work.
  - The module uploads images with the same content once in a task. Swift copies the others, if they are plain objects
    or static large objects.
  - The module's own options are the defaults for the options in O(images).
extends_documentation_fragment:
  - imagestore.swift.attributes
  - imagestore.swift.connection
  - imagestore.swift.image
  - imagestore.swift.image.source
  - imagestore.swift.location.segments
  - imagestore.swift.location.placement
  - imagestore.swift.progress
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  images:
    description:
      - The images to manage.
      - The module uses names literally, and does not expand glob patterns.
      - Before the module uploads anything, it refuses two images with the same name. It also refuses an image that
        must be present and has neither O(images[].src) nor O(images[].url).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The image's name, which is the name of its object in Swift.
        type: str
        required: true
        aliases: [image_id]
      src:
        description: The path of the image's file, block device or FIFO on the host that runs the task.
        type: path
      url:
        description: The HTTP or HTTPS URL of the image.
        type: str
      checksum:
        description:
          - The expected digest of the source, as in M(imagestore.swift.swift_image).
          - If several images have the same checksum file, the module reads it once.
        type: str
      checksum_signature:
        description: The signature of the checksum file, as in M(imagestore.swift.swift_image).
        type: str
      checksum_keyring:
        description: The keys that may sign the checksum file, as in M(imagestore.swift.swift_image).
        type: path
      size:
        description: The expected size of the source in bytes.
        type: int
      segment_prefix:
        description: The prefix of the names of a dynamic large object's segments.
        type: str
      state:
        description: The value of O(state) for this image.
        type: str
        choices: [present, absent]
      force:
        description: The value of O(force) for this image.
        type: bool
      verify:
        description: The value of O(verify) for this image.
        type: bool
      large_object_size:
        description: The value of O(large_object_size) for this image.
        type: str
      segment_size:
        description: The value of O(segment_size) for this image.
        type: str
      manifest:
        description: The value of O(manifest) for this image.
        type: str
        choices: [auto, slo, dlo]
      force_segments:
        description: The value of O(force_segments) for this image.
        type: bool
      hash_algorithms:
        description: The value of O(hash_algorithms) for this image.
        type: list
        elements: str
        choices: [md5, sha1, sha224, sha256, sha384, sha512]
      metadata:
        description: The value of O(metadata) for this image.
        type: dict
      content_type:
        description: The value of O(content_type) for this image.
        type: str
      delete_at:
        description: The value of O(delete_at) for this image.
        type: int
      delete_after:
        description: The value of O(delete_after) for this image.
        type: str
      url_username:
        description: The value of O(url_username) for this image.
        type: str
      url_password:
        description: The value of O(url_password) for this image.
        type: str
      url_headers:
        description: The value of O(url_headers) for this image.
        type: dict
      url_validate_certs:
        description: The value of O(url_validate_certs) for this image.
        type: bool
      url_ca_cert:
        description: The value of O(url_ca_cert) for this image.
        type: path
      url_client_cert:
        description: The value of O(url_client_cert) for this image.
        type: path
      url_client_key:
        description: The value of O(url_client_key) for this image.
        type: path
      force_basic_auth:
        description: The value of O(force_basic_auth) for this image.
        type: bool
      use_proxy:
        description: The value of O(use_proxy) for this image.
        type: bool
  prune:
    description:
      - Whether to delete images that are not in O(images).
      - The module deletes them in O(container), or in the containers that O(multi_tenant) or O(containers_seed) create.
      - Segments of any client do not count as images, and neither do objects that represent an empty folder.
      - This is the last step of the task. The module skips it if an image failed.
    type: bool
    default: false
  prune_include:
    description:
      - Shell-style patterns. O(prune) deletes only images whose names match one of them.
      - Without this option, every name matches.
      - The patterns treat a slash in a name like any other character.
    type: list
    elements: str
  prune_exclude:
    description: Shell-style patterns. O(prune) keeps images whose names match one of them.
    type: list
    elements: str
  prune_older_than:
    description:
      - The minimum age of images that O(prune) deletes, by Swift's clock, in seconds, or as V(12h), V(7d) or V(2w).
      - The age begins with the last change of the image. For a symlink, it begins with the last change of the link
        itself.
    type: str
  allow_empty:
    description:
      - Whether O(prune) deletes all images if O(images) is empty.
      - With V(false), it deletes none in this case.
    type: bool
    default: false
  fail_fast:
    description: Whether to begin no more images after one has failed.
    type: bool
    default: false
notes:
  - O(concurrency) applies to the whole task. The module processes at most two large images in parallel, together with
    small ones. For each large image from a C(url) or a FIFO, it buffers O(concurrency) segments in O(buffer_dir).
  - Swift updates its listings with a delay. If another client changes an object just before the task, the module may
    see its previous state.
seealso:
  - module: imagestore.swift.swift_image
  - module: imagestore.swift.swift_image_acl
  - module: imagestore.swift.swift_image_info
  - module: openstack.cloud.object
  - name: Swift's large objects
    description: How static and dynamic large objects work.
    link: https://docs.openstack.org/swift/latest/overview_large_objects.html
"""

EXAMPLES = r"""
- name: Manage several images
  imagestore.swift.swift_images:
    cloud: images
    container: glance
    create_container: true
    images:
      - name: debian-12
        src: /srv/images/debian-12.raw
        metadata:
          os-distro: debian
      - name: windows-2022
        src: /srv/images/windows-2022.raw
        segment_size: 1GiB
      - name: debian-11
        state: absent

- name: Delete nightly builds that are older than two weeks and not in the catalogue
  imagestore.swift.swift_images:
    cloud: images
    container: glance
    images: "{{ catalogue }}"
    prune: true
    prune_include: ["nightly-*"]
    prune_older_than: 2w

- name: Show what a new catalogue would change
  imagestore.swift.swift_images:
    cloud: images
    images: "{{ catalogue }}"
    prune: true
  check_mode: true
  diff: true

- name: Upload each file of a folder, and delete all other images
  imagestore.swift.swift_images:
    cloud: images
    container: folder
    create_container: true
    prune: true
    images: "{{ dict(files | map('basename') | zip(files)) | dict2items('name', 'src') }}"
  vars:
    files: "{{ query('ansible.builtin.fileglob', '/srv/images/*.raw') }}"
"""

RETURN = r"""
images:
  description: The result of each image, in the order of O(images).
  returned: always, once images are worked on
  type: list
  elements: dict
  contains:
    name:
      description: The image's name.
      returned: always
      type: str
    changed:
      description: Whether the image changed, or would change in check mode.
      returned: always
      type: bool
    failed:
      description: Whether the image failed.
      returned: always
      type: bool
    action:
      description:
        - The action on the image.
        - One of V(added), V(replaced), V(changed), V(removed), V(unchanged), V(failed) or V(left_out).
        - V(replaced) means that the content is new. V(changed) means that something other than the content is new.
        - V(left_out) means that the image was not begun, because another image had failed.
      returned: always
      type: str
    msg:
      description: The error message.
      returned: when it failed
      type: str
    image:
      description: The image after the task, as in M(imagestore.swift.swift_image).
      returned: when it did not fail, and was not left out
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
      description: Statistics of the image's upload.
      returned: when it did not fail, was not left out, and is to be there
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
pruned:
  description: The result of each image that O(prune) selected for deletion, as in RV(images).
  returned: always, once images are worked on
  type: list
  elements: dict
not_pruned:
  description:
    - Images that are not in O(images), but that O(prune) kept.
    - O(prune) keeps an image if an image in O(images) needs it or may need it, or if it is not older than
      O(prune_older_than).
    - O(prune) keeps the target of a symlink, and objects that the manifest of a kept image refers to.
    - It also keeps an object with a name like a segment, because a listing may lack its manifest. It does not keep such
      an object if it is recorded as an image of this collection.
  returned: always, once images are worked on
  type: list
  elements: dict
  contains:
    name:
      description: The image's name.
      returned: always
      type: str
    reason:
      description: Why O(prune) kept the image.
      returned: always
      type: str
summary:
  description:
    - The number of images for each RV(images[].action), and the number of V(pruned) images.
    - C(bytes_uploaded), C(bytes_reused) and C(bytes_deleted) are totals for all images. C(bytes_deleted) includes bytes
      that were overwritten. In check mode, the totals are predictions.
  returned: always, once images are worked on
  type: dict
  sample:
    added: 2
    replaced: 0
    changed: 1
    removed: 0
    pruned: 1
    unchanged: 26
    failed: 0
    left_out: 0
    bytes_uploaded: 734003200
    bytes_reused: 0
    bytes_deleted: 2147483648
"""

from ansible_collections.imagestore.swift.plugins.module_utils._ansible.catalogue_options import (
    CATALOGUE,
    read_entries,
    read_rules,
)
from ansible_collections.imagestore.swift.plugins.module_utils._ansible.runner import Result, Task, run
from ansible_collections.imagestore.swift.plugins.module_utils._errors import PartlyFailedError
from ansible_collections.imagestore.swift.plugins.module_utils._operations.catalogue import Catalogue

SPEC = CATALOGUE


def main() -> None:
    """Run the module."""
    run(SPEC, job)


def job(task: Task) -> Result:
    """Reconcile the catalogue; return the module's result."""
    rules = read_rules(task.params)
    entries = read_entries(task.params, rules.placement, task.temporary_folder)
    with task.connect(most=task.context.concurrency) as client:
        report = Catalogue(client, entries, rules, task.context).run()
        result = report.result(client.storage_url)
    failure = report.failure()
    if failure is not None:
        raise PartlyFailedError(failure, result)
    return result


if __name__ == "__main__":
    main()
