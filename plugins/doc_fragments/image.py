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
      - With V(present) the store holds the image and its metadata as given.
      - With V(absent) the image is deleted, together with the segments that its manifest names and those that an upload
        of it left behind in O(segment_container) that never got a manifest.
      - Objects that lie under a dynamic large object's prefix and are not provably its segments stay, with a warning.
      - The image's name goes first, so that nobody reads a part of it. A run that is cut off is finished by running it
        again, for the images of other writers, too, because what is to go is noted in the container before.
      - The diff, in check mode, too, lists every object that goes.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - With V(true) an image with other content is replaced.
      - With V(false) the content is sent only when there is no such image, and is not compared.
    type: bool
    default: true
  verify:
    description:
      - An image whose source is compared is also compared with the listing of its segments. What is missing or damaged
        is sent again, and nothing else.
      - If a checksum, an unchanged URL, or O(force=false) settles that the content stays, the segments are not looked
        at. V(true) looks for each of them then, too, and reads the source only if one is missing or damaged. With
        O(force=false) the damage is reported as a warning.
      - An expired segment is in the listing until Swift has removed it. V(true) finds it at once.
    type: bool
    default: false
  large_object_size:
    description:
      - An image of more bytes than this is cut into segments.
      - The same as O(segment_size) where it is not given.
    type: str
  segment_size:
    description:
      - The size of a segment, in bytes or with a unit. V(200M), V(200MB) and V(200MiB) are the same.
      - A static large object that would have more segments than the cluster allows gets larger ones. Of a stream of
        unknown size, it is made of static large objects that hold so many segments each.
    type: str
    default: 200MiB
  manifest:
    description:
      - What a large image is written as, a static (V(slo)) or a dynamic (V(dlo)) large object.
      - With V(auto) it is V(slo) if the cluster offers it and returns the manifests. Ceph RGW does not, and gets
        V(dlo).
      - An image with the right content stays as it is, whatever its kind.
    type: str
    choices: [auto, slo, dlo]
    default: auto
  force_segments:
    description:
      - With V(false), these objects stay, with a warning, although the image's manifest names them - segments that the
        manifest of another image in the container names, too, objects that are images themselves, and all segments if
        the container keeps versions. To find out, a run that deletes segments requests each object in the container
        that may be a manifest, once in a task.
      - With V(true), they are deleted with the image, and other images that are made of them can't be read any more.
      - Objects in other containers that are not proved to be segments of the image stay in any case.
    type: bool
    default: false
  hash_algorithms:
    description:
      - Digests of the whole image that are recorded with it when it is sent.
      - V(md5) is Glance's C(checksum), V(sha512) its C(os_hash_algo).
    type: list
    elements: str
    choices: [md5, sha1, sha224, sha256, sha384, sha512]
    default: [md5]
  create_container:
    description: Whether a missing container is created. Without it a missing container is an error, as in Glance.
    type: bool
    default: false
  storage_policy:
    description: The storage policy of a container that is created. The cluster's default where it is not given.
    type: str
  metadata:
    description:
      - The image's metadata (C(X-Object-Meta-*)). What is not named here is removed.
      - Without this option all of it stays.
      - Names are letters, digits and dashes, and not told apart by case. An empty value is no value.
      - What this collection (C(Image-*)), the swift CLI, rclone and openstacksdk note there for themselves is kept.
    type: dict
  content_type:
    description: The image's media type. An image that is new gets C(application/octet-stream) where it is not given.
    type: str
  delete_at:
    description:
      - When Swift is to remove the image, in seconds since the epoch. V(0) is for never.
      - Its segments go a day after it, so that whoever began to read it in time reads all of it.
      - Without this option and O(delete_after) it stays as it is.
    type: int
  delete_after:
    description:
      - The same as a time from when the image is stored, or when this is first set, in seconds, or as V(90s), V(12h),
        V(7d) or V(2w). V(0) is for never.
      - A run that finds the same number leaves the time as it is.
    type: str
  concurrency:
    description: How many segments are sent, or deleted, at the same time. At most 64.
    type: int
    default: 4
"""

    SOURCE = r"""
options:
  buffer_dir:
    description:
      - A folder for the bytes of C(url) and of a FIFO until they are sent. It needs room for O(concurrency) segments,
        or for O(large_object_size) where that is more.
      - Ansible's temporary folder on the host that runs the task where it is not given.
    type: path
  url_username:
    description:
      - The user of requests to the server of C(url), which is its scheme, host and port. Without C(url) that is the
        server of the checksum file, and without one on the web that of its signature. No other server gets it.
      - A URL may hold a login of its own, which is for its server. Credentials in C(~/.netrc) are not used.
    type: str
  url_password:
    description: The password of O(url_username).
    type: str
  url_headers:
    description: Headers of the requests to the same server as O(url_username).
    type: dict
  url_validate_certs:
    description: Whether the certificate of the server of C(url) has to be trusted.
    type: bool
    default: true
  url_ca_cert:
    description: A CA bundle that the certificate of the server of C(url) is checked with.
    type: path
  url_client_cert:
    description: A client certificate for the server of C(url).
    type: path
  url_client_key:
    description: The private key of O(url_client_cert), where it is not in the same file.
    type: path
  force_basic_auth:
    description: Whether O(url_username) and O(url_password) are sent before the server asks for them.
    type: bool
    default: false
  use_proxy:
    description:
      - Whether a proxy in the environment is used for C(url). C(no_proxy) may name hosts, domains and networks, as for
        requests to Swift.
    type: bool
    default: true
"""

    CHECKSUM = r"""
options:
  checksum_signature:
    description:
      - The URL or path of the signature of the checksum file that O(checksum) names, detached or clear. Without it, the
        checksum file itself has to be signed.
      - C(gpgv) checks it with O(checksum_keyring). Digests are read only from what is signed.
    type: str
  checksum_keyring:
    description: The file with the public keys that may sign, binary or ASCII-armored, on the host that runs the task.
    type: path
"""
