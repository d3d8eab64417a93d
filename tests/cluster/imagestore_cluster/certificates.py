# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: make a certificate authority for this cluster alone, and the certificates that it signs."""

from __future__ import annotations

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .cluster import Cluster
from .ports import LOOPBACK

LIFETIME = datetime.timedelta(days=30)
# A client's clock may be a little behind ours.
BACKDATED = datetime.timedelta(hours=1)


class Authority:
    """A certificate authority; its key is never written."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("imagestore test cluster CA")
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        self.certificate = builder.sign(self._key, hashes.SHA256())

    def issue(
        self, common_name: str, usage: x509.ObjectIdentifier
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Return a new certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name), self._name, key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        addresses = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(issuer, critical=False)
        builder = builder.add_extension(addresses, critical=False)
        return builder.sign(self._key, hashes.SHA256()), key


def main(cluster: Cluster, _name_of_job: str) -> None:
    """Write the certificates that this cluster needs."""
    cluster.layout.tls.mkdir()
    authority = Authority()
    (cluster.layout.tls / "ca.pem").write_bytes(_pem(authority.certificate))
    _write(cluster, "server", *authority.issue("localhost", ExtendedKeyUsageOID.SERVER_AUTH))
    if cluster.settings.tls_client_ca:
        _write(cluster, "client", *authority.issue("client", ExtendedKeyUsageOID.CLIENT_AUTH))


def server_context(cluster: Cluster) -> ssl.SSLContext:
    """Return the TLS settings of the servers."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cluster.layout.tls / "server.pem", cluster.layout.tls / "server.key")
    if cluster.settings.tls_client_ca:
        context.load_verify_locations(cluster.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _write(cluster: Cluster, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    (cluster.layout.tls / f"{name}.pem").write_bytes(_pem(certificate))
    (cluster.layout.tls / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
