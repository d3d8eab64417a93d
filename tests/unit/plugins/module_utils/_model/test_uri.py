# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Glance's location grammar, parsed and composed."""

from __future__ import annotations

import pytest
from ansible_collections.imagestore.swift.plugins.module_utils._errors import OptionError
from ansible_collections.imagestore.swift.plugins.module_utils._model.uri import (
    Uri,
    normalize_storage_url,
    parse_uri,
)
from hypothesis import example, given
from hypothesis import strategies as st

ID = "fdae39a1-bac5-4238-aba4-69bcc726e848"

# The URIs of glance_store's tests/unit/test_swift_store.py, and the parts that its Swift driver reads in them.
GLANCE_TAKES = [
    (f"swift://tenant:user1:key@auth_address/glance/{ID}", "https://auth_address", "tenant:user1", "glance"),
    (f"swift+http://tenant:user1:key@auth_address/glance/{ID}", "http://auth_address", "tenant:user1", "glance"),
    (
        f"swift+https://tenant%3Auser1:key@localhost:8080/glance/{ID}",
        "https://localhost:8080",
        "tenant:user1",
        "glance",
    ),
    (
        f"swift://tenant:user1:key@auth.example.com/v3/glance/{ID}",
        "https://auth.example.com/v3",
        "tenant:user1",
        "glance",
    ),
    (f"swift+https://some_endpoint/container_{ID}/{ID}", "https://some_endpoint", None, f"container_{ID}"),
    (f"swift+https://auth.example.com/v3/glance/{ID}", "https://auth.example.com/v3", None, "glance"),
    (f"swift+http://storeurl/glance/{ID}", "http://storeurl", None, "glance"),
]

TAKEN = [
    ("swift://user:key@auth.example.com/v1/c/o", Uri("swift", "auth.example.com/v1", "c", "o", "user", "key")),
    ("swift://u:k@h:5000/a/b/v3/c/o", Uri("swift", "h:5000/a/b/v3", "c", "o", "u", "k")),
    ("swift+http://u:k@[::1]:5000/v3/c/o", Uri("swift+http", "[::1]:5000/v3", "c", "o", "u", "k")),
    # Glance does not encode containers and objects, because they are plain ids there. Here any name has a location.
    ("swift+https://h/v1/AUTH_x/c/a%2Fb", Uri("swift+https", "h/v1/AUTH_x", "c", "a/b")),
    ("swift+https://h/v1/AUTH_%C3%A4/c/%C3%A4", Uri("swift+https", "h/v1/AUTH_%C3%A4", "c", "ä")),
    ("swift+https://h/v1/AUTH_x/c%20d/ä", Uri("swift+https", "h/v1/AUTH_x", "c d", "ä")),
    ("swift+config://ref1/c/o", Uri("swift+config", "ref1", "c", "o")),
    ("swift+config://a%2Fb/c/o", Uri("swift+config", "a/b", "c", "o")),
    # Glance does not encode a slash in a key, and can't read the result itself. Here it is encoded.
    ("swift://account%3Auser:k%2Fey%40@h/c/o", Uri("swift", "h", "c", "o", "account:user", "k/ey@")),
    # Glance decodes before it splits, and so takes `tenant:user:k` for the user and `ey` for the key. Here the last
    # colon that is not encoded separates user and key, so that a key can hold a colon.
    ("swift://tenant%3Auser:k%3Aey@h/c/o", Uri("swift", "h", "c", "o", "tenant:user", "k:ey")),
]

REFUSED = [
    # Glance refuses these as well; the first three are from its tests.
    ("http://bad_uri://", "two schemes"),
    ("swift://bad_creds@uri/cont/obj", "no key"),
    ("swift://user:key@uri/cont", "names no container"),
    ("swift://user:pass@http://authurl.com/v1/container/obj", r"write swift\+http://"),
    ("http://user:pass@authurl.com/v1/container/obj", "a scheme that is not one of"),
    ("SWIFT://user:pass@authurl.com/v1/container/obj", "a scheme that is not one of"),
    ("swift://user:key@h//o", "empty container"),
    ("swift://h/c", "names no container"),
    ("swift://h", "names no container"),
    ("swift://", "names no container"),
    ("swift:user:key@h/c/o", "no scheme"),
    ("container/image", "no scheme"),
    ("", "no scheme"),
    ("swift:////c/o", "no host"),
    ("swift://u:k@[::1/c/o", "an invalid host or port"),
    ("swift://u:k@y@h/c/o", "more than one @"),
    ("swift+config://u:k@ref/c/o", "remove user and key from uri"),
    # Glance takes these, and fails later.
    ("swift://user:@h/c/o", "empty key"),
    ("swift://:key@h/c/o", "empty user"),
    ("swift://user:key@h/c/", "empty image name"),
    ("swift://u:k@/c/o", "no host"),
    ("swift://u:k@:80/c/o", "empty host"),
    ("swift://u:k@h:/c/o", "empty host or port"),
    ("swift://u:k@h:0/c/o", "empty host or port"),
    ("swift://u:k@h:99999/c/o", "an invalid host or port"),
    ("swift://u:k@h{auth}/c/o", "before the container that is not valid in a URL"),
    # Glance takes these, and drops a part of them.
    ("swift://u:k@h/c/o?x", "a ?"),
    ("swift://u:k@h/c/o#x", "a #"),
    ("swift://u:k@h/c/o\n", "a control character"),
    ("swift://u:%ff@h/c/o", "not UTF-8"),
    # Glance takes the key in these for a part of the address.
    ("swift://u:k/ey@h/c/o", "a / before its @"),
    ("swift://u:80/key@h/c/o", "a / before its @"),
    # Glance takes these as they are, although an @ could be the end of such a key.
    ("swift+https://h/v1/AUTH_x/c/a@b", "an @ after the host"),
    ("swift://u:k@h/c/o x", "a space"),
]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
HOSTS = st.sampled_from(["h", "auth.example.com", "h:5000", "[::1]", "[fe80::1]:8080", "h/v3", "h:1/a/b/v1.0"])


@pytest.mark.parametrize(("text", "url", "user", "container"), GLANCE_TAKES)
def test_parse_as_glance_does(text: str, url: str, user: str | None, container: str) -> None:
    uri = parse_uri(text)
    assert (uri.url, uri.user, uri.container, uri.name) == (url, user, container, ID)
    assert uri.key == ("key" if user else None)


@pytest.mark.parametrize(("text", "uri"), TAKEN)
def test_valid_uri(text: str, uri: Uri) -> None:
    assert parse_uri(text) == uri
    assert parse_uri(uri.compose()) == uri


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_invalid_uri(text: str, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        parse_uri(text)


def test_compose_as_glance_does() -> None:
    uri = Uri("swift+https", "localhost:8080", "glance", ID, "tenant:user1", "key")
    assert uri.compose() == f"swift+https://tenant%3Auser1:key@localhost:8080/glance/{ID}"


def test_the_repr_does_not_contain_the_key() -> None:
    assert "s3cret" not in repr(parse_uri("swift://user:s3cret@h/c/o"))


@given(st.sampled_from(["swift", "swift+http", "swift+https"]), HOSTS, TEXT, TEXT, TEXT, TEXT)
@example("swift", "h", "c", "o", "a:u@/%?#", "k:@/%?#%2F")
def test_round_trip_with_credentials(scheme: str, address: str, container: str, name: str, user: str, key: str) -> None:
    uri = Uri(scheme, address, container, name, user, key)
    assert parse_uri(uri.compose()) == uri


@given(st.sampled_from(["swift", "swift+http", "swift+https"]), HOSTS, TEXT, TEXT)
def test_round_trip_without_credentials(scheme: str, address: str, container: str, name: str) -> None:
    uri = Uri(scheme, address, container, name)
    assert parse_uri(uri.compose()) == uri


@given(TEXT, TEXT, TEXT)
def test_round_trip_with_a_reference(reference: str, container: str, name: str) -> None:
    uri = Uri("swift+config", reference, container, name)
    assert parse_uri(uri.compose()) == uri


# Ways to write credentials, right and wrong, with the key as the user typed it and not encoded.
TEMPLATES = [
    "swift://user:{key}@h/c/o",
    "swift://user:{key}@http://h/c/o",
    "swift://user:{key}@h/c",
    "swift://user:{key}@h//",
    "swift://{key}@h/c/o",
    "swift://:{key}@h/c/o",
    "{key}://user@h/c/o",
    "swift://user:{key}",
    "swift://user:{key}@h:port/c/o",
    "swift+config://user:{key}@ref/c/o",
    "swift:user:{key}@h/c/o",
    "swift://user:{key}@[/c/o",
    "{key}",
]


@given(st.sampled_from(TEMPLATES), st.text(st.sampled_from("k#?/@:%[]{} \n\\é"), max_size=6))
def test_error_messages_do_not_contain_the_key(template: str, twist: str) -> None:
    key = f"Zq7{twist}Xw9"
    try:
        parse_uri(template.format(key=key))
    except OptionError as error:
        text = str(error)
        assert "Zq7" not in text and "Xw9" not in text
        assert error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://swift.example.com/v1/AUTH_x/", "https://swift.example.com/v1/AUTH_x"),
        ("https://swift.example.com//v1///AUTH_x//", "https://swift.example.com/v1/AUTH_x"),
        ("HTTPS://Swift.Example.COM/v1/AUTH_X", "https://swift.example.com/v1/AUTH_X"),
        ("https://swift.example.com:443/v1/AUTH_x", "https://swift.example.com/v1/AUTH_x"),
        ("http://swift.example.com:80/v1/AUTH_x", "http://swift.example.com/v1/AUTH_x"),
        ("http://swift.example.com:443/v1/AUTH_x", "http://swift.example.com:443/v1/AUTH_x"),
        ("https://swift.example.com:/v1/AUTH_x", "https://swift.example.com/v1/AUTH_x"),
        ("http://[FE80::1]:8080/v1/AUTH_x/", "http://[fe80::1]:8080/v1/AUTH_x"),
        ("http://[::1]:80/v1/AUTH_x", "http://[::1]/v1/AUTH_x"),
        ("https://h/v1/AUTH_a%20b%2Fc/", "https://h/v1/AUTH_a%20b%2Fc"),
        ("https://user:Word@H/v1/AUTH_x", "https://user:Word@h/v1/AUTH_x"),
        ("https://h/swift/v1/", "https://h/swift/v1"),
        ("https://h/v1/AUTH_x/?a=b#c", "https://h/v1/AUTH_x"),
        ("https://h", "https://h"),
        ("https://h:port/v1", "https://h:port/v1"),
        ("http://[::1/v1/", "http://[::1/v1/"),
        ("no address/", "no address/"),
    ],
)
def test_a_storage_url_has_one_form(url: str, normal: str) -> None:
    assert normalize_storage_url(url) == normal


@given(st.text("aAZ:/[]%@.?#0189é ", max_size=30), st.sampled_from(["", "http://", "HTTPS://h", "https://h:443/"]))
def test_the_form_of_a_storage_url_is_final(rest: str, beginning: str) -> None:
    normal = normalize_storage_url(beginning + rest)
    assert normalize_storage_url(normal) == normal
