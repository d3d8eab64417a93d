# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for the desired state of images, and for requests to web servers: ``image_options``, ``source_options``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state:
    description:
      - The desired state of the image.
      - With V(present), the module stores the image and its metadata as given.
      - With V(absent), the module deletes the image and the segments that its manifest refers to. It also deletes
        segments in O(segment_container) that interrupted uploads of the image left without a manifest.
      - The module keeps objects under a dynamic large object's prefix that are not provably its segments. It warns
        about them.
      - The object with the image's name is deleted first, so that clients cannot read an incomplete image.
      - If a deletion is interrupted, run the task again to finish it. This also works for images that other clients
        wrote, because the module records in the container which segments to delete before it deletes them.
      - The diff lists every object that is deleted, in check mode as well.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - Whether to replace an image that has different content.
      - With V(false), the module uploads the content only if the image does not exist. It does not compare the content
        of an existing image.
    type: bool
    default: true
  verify:
    description:
      - Whether to check every segment of an image, even if a record shows that the content is unchanged.
      - If the module compares an image with its source, it also compares the image with the listing of its segments.
        It uploads only segments that are missing or damaged.
      - With V(false), the module does not check the segments if a checksum, an unchanged URL or O(force=false) already
        decides that the content stays.
      - With V(true), the module checks each segment in this case, too. It reads the source only if a segment is missing
        or damaged. With O(force=false), it only warns about the damage.
      - The listing shows an expired segment until Swift has removed it. V(true) detects it immediately.
    type: bool
    default: false
  large_object_size:
    description:
      - The size above which an image is split into segments, in bytes or with a unit.
      - By default, this is the value of O(segment_size).
    type: str
  segment_size:
    description:
      - The size of a segment, in bytes or with a unit. V(200M), V(200MB) and V(200MiB) are the same.
      - The module increases this size if a static large object would have more segments than the cluster allows.
      - If the size of a stream is unknown, the module nests static large objects that each have the maximum number of
        segments. This requires that the cluster supports nested static large objects.
    type: str
    default: 200MiB
  manifest:
    description:
      - The type of manifest for a large image, for a static (V(slo)) or a dynamic (V(dlo)) large object.
      - With V(auto), the type is V(slo) if the cluster supports static large objects and returns their manifests.
        Otherwise it is V(dlo). Ceph RGW does not return these manifests.
      - An image that has the right content is not changed, whatever its type is.
    type: str
    choices: [auto, slo, dlo]
    default: auto
  force_segments:
    description:
      - Whether to delete segments that other images may need.
      - With V(false), the module keeps segments that the manifest of another image in the container refers to, and
        objects that are images themselves. If the container keeps versions, it keeps all segments. It warns about the
        objects that it keeps.
      - To find these objects, a task that deletes segments requests each object in the container that may be a
        manifest, once.
      - With V(true), the module deletes these objects with the image. Other images that consist of them can no longer
        be read.
      - The module always keeps objects in other containers that are not provably segments of the image.
    type: bool
    default: false
  hash_algorithms:
    description:
      - The algorithms of the digests of the whole image that are recorded with it during the upload.
      - V(md5) corresponds to Glance's C(checksum), V(sha512) to its C(os_hash_algo).
    type: list
    elements: str
    choices: [md5, sha1, sha224, sha256, sha384, sha512]
    default: [md5]
  create_container:
    description:
      - Whether to create a missing container.
      - With V(false), a missing container is an error, as in Glance.
    type: bool
    default: false
  storage_policy:
    description:
      - The storage policy of a container that the module creates.
      - By default, this is the cluster's default policy.
    type: str
  metadata:
    description:
      - The image's metadata (C(X-Object-Meta-*)).
      - The module removes metadata that is not listed here. Without this option, it keeps all metadata.
      - Names consist of letters, digits, dashes and underscores, and are not case-sensitive. Swift can't tell C(_) from
        C(-), so that C(os_distro) is stored and shown as C(os-distro).
      - Booleans are stored as C(true) and C(false), and numbers in decimal. An empty value is the same as no value.
      - The module keeps the metadata that this collection (C(Image-*)), the swift CLI, rclone and openstacksdk record
        for themselves.
    type: dict
  content_type:
    description:
      - The image's media type.
      - The default for a new image is C(application/octet-stream).
    type: str
  delete_at:
    description:
      - When Swift removes the image, in seconds since the epoch. V(0) means never.
      - The segments expire one day later than the image, so that clients can finish reading it.
      - Without this option and O(delete_after), the module keeps the current expiry.
    type: int
  delete_after:
    description:
      - After what time Swift removes the image, in seconds, or as V(90s), V(12h), V(7d) or V(2w). V(0) means never.
      - The time begins when the image is stored, or when this option is first set.
      - If the image already has the same value, its expiry does not change.
    type: str
  concurrency:
    description: How many segments to upload or delete in parallel, at most 64.
    type: int
    default: 4
"""

    SOURCE = r"""
options:
  buffer_dir:
    description:
      - A folder that buffers the bytes of C(url) or a FIFO until they are uploaded.
      - The folder needs room for O(concurrency) segments, or for O(large_object_size) if that is more.
      - By default, this is Ansible's temporary folder on the host that runs the task.
    type: path
  url_username:
    description:
      - The user name for requests to the server of C(url).
      - A server is identified by scheme, host and port. The module does not send the user name to other servers.
      - Without C(url), the user name is for the server of the checksum file. If the checksum file is not on a web
        server, it is for the server of the signature.
      - A URL may include its own user name and password for its server. The module does not use C(~/.netrc).
    type: str
  url_password:
    description: The password of O(url_username).
    type: str
  url_headers:
    description: Headers of the requests to the same server as O(url_username).
    type: dict
  url_validate_certs:
    description: Whether to validate the TLS certificate of the server of C(url).
    type: bool
    default: true
  url_ca_cert:
    description: The path of a CA bundle to validate the certificate of the server of C(url).
    type: path
  url_client_cert:
    description: The path of a client certificate for the server of C(url).
    type: path
  url_client_key:
    description: The path of the private key of O(url_client_cert), if it is not in the same file.
    type: path
  force_basic_auth:
    description: Whether to send O(url_username) and O(url_password) before the server asks for them.
    type: bool
    default: false
  use_proxy:
    description:
      - Whether to use a proxy from the environment for C(url).
      - C(no_proxy) may list hosts, domains and networks, as for requests to Swift.
    type: bool
    default: true
"""

    CHECKSUM = r"""
options:
  checksum_signature:
    description:
      - The URL or path of the signature of the checksum file in O(checksum). It is a detached or clear signature.
      - Without this option, the checksum file itself must be signed.
      - The module checks the signature with C(gpgv) and O(checksum_keyring). It reads digests only from the signed
        text.
    type: str
  checksum_keyring:
    description:
      - The path of a file with the public keys that may sign, on the host that runs the task.
      - The file is binary or ASCII-armored.
    type: path
"""
