"""The module's SSL contexts (AT+CSSLCFG), and the `ssl.SSLContext` made from one of them."""

import ipaddress
import ssl
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SSL_CONTEXTS: Final = 10
ANY_CIPHER_SUITE: Final = 0xFFFF
IGNORE_CERTIFICATE_TIMES: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, for which `ssl` has no name

AUTHENTICATE_NONE, AUTHENTICATE_SERVER, AUTHENTICATE_BOTH, AUTHENTICATE_CLIENT = range(4)

_VERSIONS: Final = {
    0: (ssl.TLSVersion.SSLv3, ssl.TLSVersion.SSLv3),
    1: (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1),
    2: (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1),
    3: (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    4: (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
}
_PEM_LABELS_OF_KEYS: Final = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY")


class CertificateNotSetError(Exception):
    """The context needs a file that is not named or not stored: result code 33."""


class SessionNotOpenedError(Exception):
    """The stored files make no usable context: result code 34."""


@dataclass
class SslSettings:
    """The settings of one SSL context, with the module's defaults."""

    sslversion: int = 4
    authmode: int = AUTHENTICATE_NONE
    ignorelocaltime: int = 1
    negotiatetime: int = 300
    cacert: str = ""
    clientcert: str = ""
    clientkey: str = ""
    password: str = ""
    enableSNI: int = 0  # noqa: N815 - the module's own name
    ignorecertCN: int = 0  # noqa: N815 - the module's own name
    use_tickets: int = 0
    ciphersuites: int = ANY_CIPHER_SUITE

    @property
    def verifies_server(self) -> bool:
        """True if the broker's certificate is verified."""
        return self.authmode in (AUTHENTICATE_SERVER, AUTHENTICATE_BOTH)

    @property
    def presents_certificate(self) -> bool:
        """True if the module sends a client certificate."""
        return self.authmode in (AUTHENTICATE_BOTH, AUTHENTICATE_CLIENT)

    @property
    def checks_name(self) -> bool:
        """True if the broker's certificate must match the host in CONNECT."""
        return self.verifies_server and not self.ignorecertCN

    @property
    def checks_times(self) -> bool:
        """True if the broker's certificate must be valid at the time of the module's clock."""
        return self.verifies_server and not self.ignorelocaltime


def make_ssl_context(settings: SslSettings, files: Mapping[str, bytes]) -> ssl.SSLContext:
    """Return a client context made from `settings` and the stored files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # `check_server_name` checks the name, with and without SNI
    context.verify_mode = ssl.CERT_REQUIRED if settings.verifies_server else ssl.CERT_NONE
    if settings.ignorelocaltime:
        context.verify_flags |= IGNORE_CERTIFICATE_TIMES
    if not settings.use_tickets:
        context.options |= ssl.OP_NO_TICKET
    _limit_versions(context, settings.sslversion)
    _limit_cipher_suites(context, settings.ciphersuites)
    if settings.verifies_server:
        _trust(context, _stored(files, settings.cacert))
    if settings.presents_certificate:
        certificate = _stored(files, settings.clientcert)
        key = _stored(files, settings.clientkey)
        password = _stored(files, settings.password).strip() if settings.password else b""
        _present(context, certificate, key, password)
    return context


def check_server_name(connection: ssl.SSLSocket, host: str) -> bool:
    """Return whether the broker's certificate matches `host`."""
    certificate: Mapping[str, Any] = connection.getpeercert() or {}
    names = certificate.get("subjectAltName", ())
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        dns_names = [value for kind, value in names if kind == "DNS"]
        return any(_name_matches(name, host) for name in dns_names or _common_names(certificate))
    addresses = [ipaddress.ip_address(value.strip()) for kind, value in names if kind == "IP Address"]
    return address in addresses or (not names and host in _common_names(certificate))


def is_valid_at(connection: ssl.SSLSocket, time: float) -> bool:
    """Return whether the broker's certificate is valid at a time."""
    certificate: Mapping[str, Any] = connection.getpeercert() or {}
    start, end = certificate.get("notBefore"), certificate.get("notAfter")
    return (
        start is not None
        and end is not None
        and ssl.cert_time_to_seconds(start) <= time <= ssl.cert_time_to_seconds(end)
    )


def _stored(files: Mapping[str, bytes], name: str) -> bytes:
    try:
        return files[name]
    except KeyError:
        raise CertificateNotSetError(name or "no file is named") from None


def _limit_versions(context: ssl.SSLContext, sslversion: int) -> None:
    lowest, highest = _VERSIONS[sslversion]
    if lowest >= ssl.TLSVersion.TLSv1_2:
        context.maximum_version = highest
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old firmware uses old TLS versions
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = lowest
        context.maximum_version = highest


def _limit_cipher_suites(context: ssl.SSLContext, suite: int) -> None:
    if suite == ANY_CIPHER_SUITE:
        return
    names = [cipher["name"] for cipher in context.get_ciphers() if cipher["id"] & 0xFFFF == suite]
    if not names:
        raise SessionNotOpenedError(f"no cipher suite 0x{suite:04X}")
    context.set_ciphers(names[0])


def _trust(context: ssl.SSLContext, certificates: bytes) -> None:
    try:
        if b"-----BEGIN" in certificates:
            context.load_verify_locations(cadata=certificates.decode("ascii", "replace"))
        else:
            context.load_verify_locations(cadata=certificates)
    except (ssl.SSLError, ValueError) as error:
        raise SessionNotOpenedError("the CA file holds no certificate") from error


def _present(context: ssl.SSLContext, certificate: bytes, key: bytes, password: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="simcom-mqtt-") as name:
        certificate_file, key_file = Path(name, "certificate"), Path(name, "key")
        certificate_file.write_bytes(_as_pem(certificate, "CERTIFICATE"))
        for label in _PEM_LABELS_OF_KEYS:
            key_file.touch(mode=0o600)
            key_file.write_bytes(_as_pem(key, label))
            try:
                # The password is always set: without one OpenSSL asks for it on the terminal.
                context.load_cert_chain(certificate_file, key_file, password)
            except (ssl.SSLError, ValueError):
                if b"-----BEGIN" in key:
                    break
            else:
                return
    raise SessionNotOpenedError("client certificate and key do not match")


def _as_pem(content: bytes, label: str) -> bytes:
    if b"-----BEGIN" in content:
        return content
    return ssl.DER_cert_to_PEM_cert(content).replace("CERTIFICATE", label).encode("ascii")


def _name_matches(pattern: str, host: str) -> bool:
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if not pattern.startswith("*."):
        return pattern == host
    first_label, _, rest = host.partition(".")
    return bool(first_label) and rest == pattern[2:]


def _common_names(certificate: Mapping[str, Any]) -> list[str]:
    return [
        value for entry in certificate.get("subject", ()) for kind, value in entry if kind == "commonName"
    ]
