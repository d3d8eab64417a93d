# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module that makes the images of a catalogue present or absent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swift_images
short_description: Keep a whole catalogue of images in a Swift object store
version_added: 0.1.0
author:
  - The imagestore.swift authors (!UNKNOWN)
description:
  - Does for many images what M(imagestore.swift.swift_image) does for one, side by side, with one login and one listing
    of their container.
  - A small image that the listing shows with the MD5 of its file, or of O(images[].checksum), is not asked about any
    more, unless O(metadata), O(delete_at), O(delete_after) or another checksum has to be compared.
  - An image that fails does not stop the others. The task fails then, and says which. Another run takes up what is
    left.
  - Images with the same content are sent once in a task, and copied by Swift, where they are plain objects or static
    large objects.
  - What is said beside O(images) holds for each image that does not say otherwise.
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
      - The images. Their names are taken as they are, and no globs.
      - Two for one name are refused, and so is one that is to be there and has neither O(images[].src) nor
        O(images[].url), before anything is sent.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The image's name, which is its object's name in Swift.
        type: str
        required: true
        aliases: [image_id]
      src:
        description: The image's file, block device or FIFO, on the host that runs the task.
        type: path
      url:
        description: The image's address, of HTTP or HTTPS.
        type: str
      checksum:
        description:
          - The digest that the source has to have, as in M(imagestore.swift.swift_image).
          - A checksum file that several images name is read once.
        type: str
      checksum_signature:
        description: The signature of the checksum file, as in M(imagestore.swift.swift_image).
        type: str
      checksum_keyring:
        description: The keys that may sign the checksum file, as in M(imagestore.swift.swift_image).
        type: path
      size:
        description: How many bytes the source has to have.
        type: int
      segment_prefix:
        description: What the names of a dynamic large object's segments begin with.
        type: str
      state:
        description: As O(state), for this image.
        type: str
        choices: [present, absent]
      force:
        description: As O(force), for this image.
        type: bool
      verify:
        description: As O(verify), for this image.
        type: bool
      large_object_size:
        description: As O(large_object_size), for this image.
        type: str
      segment_size:
        description: As O(segment_size), for this image.
        type: str
      manifest:
        description: As O(manifest), for this image.
        type: str
        choices: [auto, slo, dlo]
      force_segments:
        description: As O(force_segments), for this image.
        type: bool
      hash_algorithms:
        description: As O(hash_algorithms), for this image.
        type: list
        elements: str
        choices: [md5, sha1, sha224, sha256, sha384, sha512]
      metadata:
        description: As O(metadata), for this image.
        type: dict
      content_type:
        description: As O(content_type), for this image.
        type: str
      delete_at:
        description: As O(delete_at), for this image.
        type: int
      delete_after:
        description: As O(delete_after), for this image.
        type: str
      url_username:
        description: As O(url_username), for this image.
        type: str
      url_password:
        description: As O(url_password), for this image.
        type: str
      url_headers:
        description: As O(url_headers), for this image.
        type: dict
      url_validate_certs:
        description: As O(url_validate_certs), for this image.
        type: bool
      url_ca_cert:
        description: As O(url_ca_cert), for this image.
        type: path
      url_client_cert:
        description: As O(url_client_cert), for this image.
        type: path
      url_client_key:
        description: As O(url_client_key), for this image.
        type: path
      force_basic_auth:
        description: As O(force_basic_auth), for this image.
        type: bool
      use_proxy:
        description: As O(use_proxy), for this image.
        type: bool
  prune:
    description:
      - Whether images go that are in the container, or the containers that O(multi_tenant) or O(containers_seed) make,
        and not in O(images).
      - Segments of whichever client are no images, and neither is what stands for an empty folder.
      - It is done last, and not at all where an image failed.
    type: bool
    default: false
  prune_include:
    description:
      - Shell-style patterns. O(prune) deletes only images whose name matches one of them. Without this option, every
        name matches.
      - A slash in a name is a character like any other.
    type: list
    elements: str
  prune_exclude:
    description: Shell-style patterns. O(prune) keeps an image whose name matches one of them.
    type: list
    elements: str
  prune_older_than:
    description:
      - O(prune) keeps an image whose last change is more recent than this, by Swift's clock, in seconds, or as V(12h),
        V(7d) or V(2w). Of a symlink, the link's own change counts.
    type: str
  allow_empty:
    description: Whether O(prune) takes all images away where O(images) is empty. Otherwise it takes none.
    type: bool
    default: false
  fail_fast:
    description: Whether no image is begun any more when one has failed.
    type: bool
    default: false
notes:
  - O(concurrency) is for the whole task. Two large images at the most are worked on at the same time, beside small
    ones, and of each that comes from a C(url) or a FIFO so many segments are kept in O(buffer_dir).
  - Swift's listings follow its objects with a delay. What was changed by somebody else in the moments before may be
    taken for what it was.
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
- name: Keep a store in step
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

- name: Store each file of a folder, and nothing else
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
  description: What became of each image, in the order of O(images).
  returned: always, once images are worked on
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
    changed:
      description: Whether anything was, or would be, changed for it.
      returned: always
      type: bool
    failed:
      description: Whether it failed.
      returned: always
      type: bool
    action:
      description:
        - What became of it, V(added), V(replaced) by other content, V(changed) in what is beside its content,
          V(removed), V(unchanged), V(failed), or V(left_out) because another one had failed.
      returned: always
      type: str
    msg:
      description: Why it failed.
      returned: when it failed
      type: str
    image:
      description: The image as this task leaves it, as in M(imagestore.swift.swift_image).
      returned: when it did not fail, and was not left out
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
      description: What was sent for it, and what that took.
      returned: when it did not fail, was not left out, and is to be there
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
pruned:
  description: What became of each image that was not in O(images), as RV(images).
  returned: always, once images are worked on
  type: list
  elements: dict
not_pruned:
  description:
    - Images that are not in O(images) and stay, because an image in O(images) needs them, or may, or because they are
      not older than O(prune_older_than).
    - The target of a symlink stays, and what the manifest of a kept image names. So does an object that is called as a
      segment, unless it is recorded as an image of this collection, because a listing may lack its manifest.
  returned: always, once images are worked on
  type: list
  elements: dict
  contains:
    name:
      description: The image.
      returned: always
      type: str
    reason:
      description: Why the image stays.
      returned: always
      type: str
summary:
  description:
    - How many images there are of each RV(images[].action), and how many were V(pruned).
    - C(bytes_uploaded), C(bytes_reused) and C(bytes_deleted) are those of all images. In check mode they are what would
      be sent, reused, and deleted or written over.
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
