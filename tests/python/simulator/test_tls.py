"""TLS: SSL contexts, certificate store and handshake."""

import ssl
from collections.abc import Iterator

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
BAD_PARAMETER = b"\r\n+CME ERROR: Incorrect parameters\r\n"


def shown(context: int, settings: bytes) -> bytes:
    return b"\r\n+CSSLCFG: %d,%b\r\n" % (context, settings)


def shown_all(settings: bytes) -> bytes:
    return b"\r\n" + b"".join(b"+CSSLCFG: %d,%b\r\n" % (context, settings) for context in range(10))


DEFAULTS = b'4,0,1,300,"","","","",0,0,0,0xFFFF'


class TestSettings:
    def test_all_ten_contexts_have_defaults(self, wire: Wire) -> None:
        wire.ask(b"AT+CSSLCFG?", shown_all(DEFAULTS) + OK)

    def test_each_setting_is_set_and_shown(self, wire: Wire) -> None:
        for setting in (
            b'"sslversion",3,3',
            b'"authmode",3,2',
            b'"ignorelocaltime",3,0',
            b'"negotiatetime",3,10',
            b'"cacert",3,"ca.pem"',
            b'"clientcert",3,"cert.der"',
            b'"clientkey",3,"key.pem"',
            b'"password",3,"pass.pem"',
            b'"enableSNI",3,1',
            b'"ignorecertCN",3,1',
            b'"use_tickets",3,1',
            b'"ciphersuites",3,0xc02F',
        ):
            wire.ok(b"AT+CSSLCFG=" + setting)
        expected = shown(3, b'3,2,0,10,"ca.pem","cert.der","key.pem","pass.pem",1,1,1,0xC02F')
        wire.ask(b"AT+CSSLCFG=3", expected + OK)
        wire.ask(b"AT+CSSLCFG=4", shown(4, DEFAULTS) + OK)

    @pytest.mark.parametrize(
        "parameters",
        [
            b'"sslversion",0,5',
            b'"authmode",0,4',
            b'"authmode",10,0',
            b'"cacert",0,"a.pe"',
            b'"cacert",0,"a.txt"',
            b'"cacert",0,"%b.pem"' % (b"x" * 52),
            b'"negotiatetime",0,9',
            b'"nosuch",0,1',
            b'"authmode",0',
            b"10",
        ],
    )
    def test_bad_parameters(self, wire: Wire, parameters: bytes) -> None:
        wire.ask(b"AT+CSSLCFG=" + parameters, BAD_PARAMETER)

    def test_settings_survive_service_but_not_reset(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b'AT+CSSLCFG="authmode",0,1')
        module.reset()
        wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
        wire.ask(b"AT+CSSLCFG=0", shown(0, DEFAULTS) + OK)


class TestStore:
    def test_store_is_empty_at_first(self, wire: Wire) -> None:
        wire.ok(b"AT+CCERTLIST")

    def test_files_are_stored_listed_replaced_and_deleted(self, wire: Wire) -> None:
        wire.enter(b'AT+CCERTDOWN="ca.pem",5', b"\x00\x01\r\n\x1a")
        wire.enter(b'AT+CCERTDOWN="key.der",1', b"k")
        wire.enter(b'AT+CCERTDOWN="ca.pem",1', b"c")
        wire.ask(b"AT+CCERTLIST", b'\r\n+CCERTLIST: "ca.pem"\r\n+CCERTLIST: "key.der"\r\n' + OK)
        wire.ok(b'AT+CCERTDELE="ca.pem"')
        wire.ask(b"AT+CCERTLIST", b'\r\n+CCERTLIST: "key.der"\r\n' + OK)
        wire.ask(b'AT+CCERTDELE="ca.pem"', b"\r\n+CME ERROR: not found\r\n")

    def test_file_of_10240_bytes_is_stored(self, wire: Wire) -> None:
        content = bytes(range(256)) * 40
        wire.ask(b'AT+CCERTDOWN="large.pem",10240', b"\r\n>")
        for start in range(0, 10_240, 3072):
            wire.send(content[start : start + 3072])
        wire.expect(OK)

    @pytest.mark.parametrize(
        "parameters", [b'"a.pe",1', b'"ca.pem",0', b'"ca.pem",10241', b'"ca.pem"', b"ca.pem,1"]
    )
    def test_bad_parameters(self, wire: Wire, parameters: bytes) -> None:
        wire.ask(b"AT+CCERTDOWN=" + parameters, BAD_PARAMETER)

    def test_files_survive_restart(self, wire: Wire) -> None:
        wire.enter(b'AT+CCERTDOWN="ca.pem",1', b"c")
        wire.ok(b"AT+CRESET")
        wire.read_until(b"PB DONE\r\n")
        wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
        wire.ask(b"AT+CCERTLIST", b'\r\n+CCERTLIST: "ca.pem"\r\n' + OK)


class TestHandshake:
    @pytest.fixture
    def port(self, mosquitto: MosquittoBroker) -> int:
        return mosquitto.tls

    @pytest.fixture
    def module(self, port: int) -> Iterator[SimulatedModem]:
        with SimulatedModem(broker=f"127.0.0.1:{port}") as modem:
            yield modem

    @pytest.fixture
    def client(self, started: Wire) -> Wire:
        started.ok(b'AT+CMQTTACCQ=0,"tls client",1')
        return started

    def store(self, wire: Wire, name: bytes, content: bytes) -> None:
        wire.enter(b'AT+CCERTDOWN="%b",%d' % (name, len(content)), content)

    def connect(self, wire: Wire, code: int, host: bytes = b"localhost") -> None:
        wire.ask(b'AT+CMQTTCONNECT=0,"tcp://%b:8883",60,1' % host, OK + b"\r\n+CMQTTCONNECT: 0,%d\r\n" % code)

    def verify(self, wire: Wire, authority: trustme.CA, context: int = 0) -> None:
        self.store(wire, b"ca.pem", authority.cert_pem.bytes())
        wire.ok(b'AT+CSSLCFG="authmode",%d,1' % context)
        wire.ok(b'AT+CSSLCFG="cacert",%d,"ca.pem"' % context)

    def test_connect_without_verification(self, client: Wire) -> None:
        self.connect(client, 0)
        client.enter(b"AT+CMQTTTOPIC=0,1", b"t")
        client.ask(b"AT+CMQTTPUB=0,2,60", OK + b"\r\n+CMQTTPUB: 0,0\r\n")

    def test_server_is_verified(self, client: Wire, mosquitto: MosquittoBroker) -> None:
        self.verify(client, mosquitto.authority)
        self.connect(client, 0)

    def test_ca_in_der_is_accepted(self, client: Wire, mosquitto: MosquittoBroker) -> None:
        self.store(client, b"ca.der", ssl.PEM_cert_to_DER_cert(mosquitto.authority.cert_pem.bytes().decode()))
        client.ok(b'AT+CSSLCFG="authmode",0,1')
        client.ok(b'AT+CSSLCFG="cacert",0,"ca.der"')
        self.connect(client, 0)

    def test_wrong_ca_fails_handshake(self, client: Wire, mosquitto: MosquittoBroker) -> None:
        self.verify(client, trustme.CA())
        self.connect(client, 32)
        client.ok(b'AT+CSSLCFG="authmode",0,0')
        self.connect(client, 0)

    def test_certificate_of_other_host_fails_handshake(
        self, client: Wire, mosquitto: MosquittoBroker
    ) -> None:
        self.verify(client, mosquitto.authority)
        self.connect(client, 32, b"other.example")
        client.ok(b'AT+CSSLCFG="enableSNI",0,1')
        self.connect(client, 32, b"other.example")
        client.ok(b'AT+CSSLCFG="ignorecertCN",0,1')
        self.connect(client, 0, b"other.example")

    def test_certificate_for_address_is_accepted(self, client: Wire, mosquitto: MosquittoBroker) -> None:
        self.verify(client, mosquitto.authority)
        self.connect(client, 0, b"127.0.0.1")
        client.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
        self.connect(client, 32, b"127.0.0.2")

    def test_missing_ca_setting_gives_33(self, client: Wire) -> None:
        client.ok(b'AT+CSSLCFG="authmode",0,1')
        self.connect(client, 33)

    def test_missing_ca_file_gives_33(self, client: Wire) -> None:
        client.ok(b'AT+CSSLCFG="authmode",0,1')
        client.ok(b'AT+CSSLCFG="cacert",0,"ca.pem"')
        self.connect(client, 33)

    def test_invalid_ca_file_gives_34(self, client: Wire) -> None:
        self.store(client, b"ca.pem", b"-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n")
        client.ok(b'AT+CSSLCFG="authmode",0,1')
        client.ok(b'AT+CSSLCFG="cacert",0,"ca.pem"')
        self.connect(client, 34)

    def test_sslcfg_selects_context(self, client: Wire, mosquitto: MosquittoBroker) -> None:
        self.verify(client, trustme.CA(), context=0)
        self.store(client, b"good.pem", mosquitto.authority.cert_pem.bytes())
        client.ok(b'AT+CSSLCFG="authmode",5,1')
        client.ok(b'AT+CSSLCFG="cacert",5,"good.pem"')
        client.ok(b"AT+CMQTTSSLCFG=0,5")
        self.connect(client, 0)
        client.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
        self.connect(client, 32)

    @pytest.mark.parametrize(("version", "code"), [(0, 32), (1, 32), (2, 32), (3, 0), (4, 0)])
    def test_tls_version_limits_handshake(self, client: Wire, version: int, code: int) -> None:
        client.ok(b'AT+CSSLCFG="sslversion",0,%d' % version)
        self.connect(client, code)

    def test_cipher_suite_limits_handshake(self, client: Wire) -> None:
        client.ok(b'AT+CSSLCFG="ciphersuites",0,0xC02F')
        self.connect(client, 32)  # it wants a server with an RSA key
        client.ok(b'AT+CSSLCFG="ciphersuites",0,0xC02B')
        self.connect(client, 0)
        client.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
        client.ok(b'AT+CSSLCFG="ciphersuites",0,0x0001')
        self.connect(client, 34)

    def test_plain_server_fails_handshake(self, mosquitto: MosquittoBroker) -> None:
        with SimulatedModem(broker=f"127.0.0.1:{mosquitto.plain}") as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
            wire.ask(b"AT+CMQTTSTART", b"\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n")
            wire.ok(b'AT+CMQTTACCQ=0,"tls client",1')
            self.connect(wire, 32)

    def test_host_name_is_looked_up(self, mosquitto: MosquittoBroker) -> None:
        with SimulatedModem() as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
            wire.ask(b"AT+CMQTTSTART", b"\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n")
            wire.ok(b'AT+CMQTTACCQ=0,"tls client",1')
            self.verify(wire, mosquitto.authority)
            wire.ask(
                b'AT+CMQTTCONNECT=0,"tcp://localhost:%d",60,1' % mosquitto.tls,
                OK + b"\r\n+CMQTTCONNECT: 0,0\r\n",
            )

    class TestMutual:
        @pytest.fixture
        def port(self, mosquitto: MosquittoBroker) -> int:
            return mosquitto.mutual_tls

        @pytest.fixture
        def certificate(self, mosquitto: MosquittoBroker) -> trustme.LeafCert:
            return mosquitto.authority.issue_cert("device.example")

        def store(self, wire: Wire, **files: bytes) -> None:
            for setting, content in files.items():
                name = f"{setting}.pem".encode()
                wire.enter(b'AT+CCERTDOWN="%b",%d' % (name, len(content)), content)
                wire.ok(b'AT+CSSLCFG="%b",0,"%b"' % (setting.encode(), name))

        def connect(self, wire: Wire, code: int) -> None:
            result = OK + b"\r\n+CMQTTCONNECT: 0,%d\r\n" % code
            wire.ask(b'AT+CMQTTCONNECT=0,"tcp://localhost:8883",60,1', result)

        def test_server_and_client_are_verified(
            self, client: Wire, mosquitto: MosquittoBroker, certificate: trustme.LeafCert
        ) -> None:
            self.store(
                client,
                cacert=mosquitto.authority.cert_pem.bytes(),
                clientcert=certificate.cert_chain_pems[0].bytes(),
                clientkey=certificate.private_key_pem.bytes(),
            )
            client.ok(b'AT+CSSLCFG="authmode",0,2')
            self.connect(client, 0)

        def test_only_client_is_verified(self, client: Wire, certificate: trustme.LeafCert) -> None:
            key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
            protected = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"open sesame"),
            )
            self.store(client, clientcert=certificate.cert_chain_pems[0].bytes(), clientkey=protected)
            client.ok(b'AT+CSSLCFG="authmode",0,3')
            self.connect(client, 34)
            self.store(client, password=b"open sesame\n")
            self.connect(client, 0)

        def test_key_in_der_is_accepted(self, client: Wire, certificate: trustme.LeafCert) -> None:
            key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
            for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
                der = key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
                self.store(client, clientcert=certificate.cert_chain_pems[0].bytes(), clientkey=der)
                client.ok(b'AT+CSSLCFG="authmode",0,3')
                self.connect(client, 0)
                client.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")

        def test_missing_client_certificate_fails(self, client: Wire) -> None:
            client.ok(b'AT+CSSLCFG="authmode",0,0')
            self.connect(client, 32)

        def test_missing_client_certificate_setting_gives_33(self, client: Wire) -> None:
            client.ok(b'AT+CSSLCFG="authmode",0,3')
            self.connect(client, 33)

        def test_mismatched_key_gives_34(
            self, client: Wire, mosquitto: MosquittoBroker, certificate: trustme.LeafCert
        ) -> None:
            other = mosquitto.authority.issue_cert("other.example")
            self.store(
                client,
                clientcert=certificate.cert_chain_pems[0].bytes(),
                clientkey=other.private_key_pem.bytes(),
            )
            client.ok(b'AT+CSSLCFG="authmode",0,3')
            self.connect(client, 34)
