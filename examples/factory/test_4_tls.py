"""TLS: certificates are stored, and the module connects to a broker that they verify, and to no other."""

from collections.abc import Iterator

import pytest
import trustme

from simcom_mqtt import ConnectError, ResultCode, SimcomMqtt, Tls

from .provisioning import provision
from .secure_broker import SecureBroker


def test_certificates_are_stored_once(simcom: SimcomMqtt, secure_broker: SecureBroker) -> None:
    """A device that is tested again is not written to again."""
    name, _ = provision(simcom, "ca", secure_broker.authority)

    assert name in simcom.certificates()
    assert provision(simcom, "ca", secure_broker.authority) == (name, False)


def test_it_connects_by_tls(
    simcom: SimcomMqtt, secure_broker: SecureBroker, simcom_topic_prefix: str
) -> None:
    """Connects to a verified broker, and receives its own message."""
    name, _ = provision(simcom, "ca", secure_broker.authority)

    with simcom.connect(secure_broker.url, tls=Tls(ca=name)) as client, client.capture() as inbox:
        client.subscribe(simcom_topic_prefix, qos=1)
        client.publish(simcom_topic_prefix, "by TLS", qos=1)
        assert inbox.get(timeout=30).text() == "by TLS"


@pytest.fixture
def foreign_authority(simcom: SimcomMqtt) -> Iterator[str]:
    """The name of a stored authority that did not sign the broker's certificate."""
    name, _ = provision(simcom, "foreign", trustme.CA().cert_pem.bytes())
    yield name
    simcom.delete_certificate(name)


def test_it_refuses_a_broker_that_it_cannot_verify(
    simcom: SimcomMqtt, secure_broker: SecureBroker, foreign_authority: str
) -> None:
    """By default the module does not verify the broker."""
    with pytest.raises(ConnectError) as refused:
        simcom.connect(secure_broker.url, tls=Tls(ca=foreign_authority))

    assert refused.value.code is ResultCode.HANDSHAKE_FAIL
