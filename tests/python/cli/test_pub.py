"""`pub`: messages that an ordinary client on the same broker receives."""

from pathlib import Path

import pytest

from cli.terminal_command import Terminal, lines_of, process, run
from host_client import HostClient, as_sent
from mosquitto_broker import PASSWORD, USER, MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture
def to_broker(simulator: SimulatedModem, mosquitto: MosquittoBroker) -> list[object]:
    """The options that lead to the simulated module and to Mosquitto."""
    return ["-d", simulator.port, "-h", "127.0.0.1", "-p", mosquitto.plain]


def test_message_has_qos_and_retain_flag(to_broker: list[object], host: HostClient, base: str) -> None:
    host.subscribe(f"{base}/#")

    lines_of("pub", *to_broker, "-t", f"{base}/state", "-m", "grüße", "-q", "2", "-r")

    assert as_sent(host.get()) == (f"{base}/state", "grüße".encode(), 2, True)
    lines_of("pub", *to_broker, "-t", f"{base}/state", "-n", "-r")  # else the broker keeps the message


def test_payload_from_each_source(
    to_broker: list[object], host: HostClient, base: str, tmp_path: Path
) -> None:
    host.subscribe(base)
    file = tmp_path / "message"
    file.write_bytes(b"\x00\xff\r\n")

    lines_of("pub", *to_broker, "-t", base, "-f", file)
    lines_of("pub", *to_broker, "-t", base, "-s", stdin=b"two\nlines\n")
    lines_of("pub", *to_broker, "-t", base, "-l", stdin=b"first\r\n\nsecond")
    lines_of("pub", *to_broker, "-t", base, "-m", "again", "--repeat", "2")

    expected = [b"\x00\xff\r\n", b"two\nlines\n", b"first", b"second", b"again", b"again"]
    assert [host.get().payload for _ in expected] == expected


def test_url_with_user_password_and_topic(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str
) -> None:
    password = PASSWORD.replace(" ", "%20")

    url = f"mqtt://{USER}:{password}@127.0.0.1:{mosquitto.password}/{base}"
    lines_of("pub", "-d", simulator.port, "-L", url, "-m", "in")

    mosquitto.wait_for_log(rf"Received PUBLISH .*'{base}', .*\(2 bytes\)")


def test_password_line_before_messages_on_standard_input(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str
) -> None:
    options = ["-d", simulator.port, "-h", "127.0.0.1", "-p", mosquitto.password, "-u", USER]
    with process("pub", *options, "--ask-password", "-t", base, "-l") as command:
        _, errors = command.communicate(f"{PASSWORD}\none\ntwo and more\n".encode(), timeout=30)

    assert (command.returncode, errors) == (0, b"")
    mosquitto.wait_for_log(rf"Received PUBLISH .*'{base}', .*\(3 bytes\)")
    mosquitto.wait_for_log(rf"Received PUBLISH .*'{base}', .*\(12 bytes\)")


@pytest.mark.parametrize(
    "url", ["mqtt://u:pa/ssw0rd@h/x", "mqtt://u:ssw0rd℀@127.0.0.1/x", "mqtt://u:ssw0rd#@h"]
)
def test_unreadable_url_is_not_repeated(url: str) -> None:
    result = run("pub", "-d", "simulator", "-L", url, "-m", "x")

    assert result.exit_code == 2
    assert "--url must be" in result.stderr
    assert "ssw0rd" not in result.output


@pytest.mark.parametrize("way", ["option", "variable", "prompt"])
def test_password_by_each_way_is_not_logged(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str, way: str
) -> None:
    named = {"option": ["-P", PASSWORD], "prompt": ["--ask-password"]}.get(way, [])
    result = run(
        "pub",
        *["-d", simulator.port, "-h", "127.0.0.1", "-p", mosquitto.password, "-u", USER, *named, "-v"],
        *["-t", base, "-m", "in"],
        env={"SIMCOM_PASSWORD": PASSWORD} if way == "variable" else {},
        stdin=f"{PASSWORD}\n".encode(),
    )

    assert result.exit_code == 0, result.output
    assert "> AT+CMQTTPUB=" in result.stderr
    assert PASSWORD not in result.output


def test_password_prompt_on_terminal(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str
) -> None:
    to = ["-d", simulator.port, "-h", "127.0.0.1", "-p", mosquitto.password, "-u", USER]
    with Terminal("pub", *to, "--ask-password", "-t", base, "-m", "in") as terminal:
        terminal.wait_for(b"Password: ")
        terminal.press(f"{PASSWORD}\r".encode())

        assert terminal.end() == 0
    assert PASSWORD.encode() not in terminal.shown


def test_wrong_password_exits_with_1_and_is_not_shown(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str
) -> None:
    url = f"mqtt://{USER}:wrong.secret@127.0.0.1:{mosquitto.password}"
    result = run("pub", "-d", simulator.port, "-L", url, "-t", base, "-m", "in")

    assert result.exit_code == 1
    assert "+CMQTTCONNECT: 0," in result.stderr
    assert "wrong.secret" not in result.output


def test_tls_with_each_verification(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, host: HostClient, base: str, tmp_path: Path
) -> None:
    authority, chain, key = (tmp_path / name for name in ("ca.pem", "dut.pem", "dut-key.pem"))
    mosquitto.authority.cert_pem.write_to_path(authority)
    certificate = mosquitto.authority.issue_cert("dut")
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    host.subscribe(base)
    verified = ["-d", simulator.port, "-h", "127.0.0.1", "-t", base, "--cafile", authority]

    lines_of("pub", *verified, "-p", mosquitto.tls, "-m", "server")
    lines_of("pub", *verified, "-p", mosquitto.mutual_tls, "--cert", chain, "--key", key, "-m", "both")
    assert run("certs", "upload", "-d", simulator.port, authority, "--name", "authority.pem").exit_code == 0
    lines_of("pub", *verified[:-1], "module:authority.pem", "-p", mosquitto.tls, "-m", "stored")
    lines_of("pub", *verified[:-2], "--insecure", "-p", mosquitto.tls, "-m", "insecure")

    assert [host.get().payload for _ in range(4)] == [b"server", b"both", b"stored", b"insecure"]


def test_will_options_set_the_will(to_broker: list[object], simulator: SimulatedModem, base: str) -> None:
    will = ["--will-topic", f"{base}/will", "--will-payload", "gone", "--will-qos", "1"]

    lines_of("pub", *to_broker, "-t", base, "-m", "x", *will)

    assert f"AT+CMQTTWILLTOPIC=0,{len(base) + 5}" in simulator.received
    assert "AT+CMQTTWILLMSG=0,4,1" in simulator.received


def test_module_is_left_clean(to_broker: list[object], simulator: SimulatedModem, base: str) -> None:
    lines_of("pub", *to_broker, "-t", base, "-m", "x", "-i", "terminal", "-k", "30", "-V", "31")

    assert simulator.received[-3:] == ["AT+CMQTTDISC=0", "AT+CMQTTREL=0", "AT+CMQTTSTOP"]
    assert 'AT+CMQTTCFG="version",0,3' in simulator.received


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-m", "x"], "name a topic"),
        (["-t", "a"], "exactly one of"),
        (["-t", "a", "-m", "x", "-n"], "exactly one of"),
        (["-t", "a", "-m", "x"], "name a broker that the module can reach"),
        (["-t", "a", "-m", "x", "-p", "1883"], "--port needs a --host"),
        (["-t", "a", "-m", "x", "-L", "http://secret@host"], "--url must be"),
        (["-t", "a", "-m", "x", "-L", "mqtt://host", "-h", "host"], "either by --url or by --host"),
        (["-t", "a", "-m", "x", "-h", "host", "-p", "8883"], "--cafile"),
        (
            ["-t", "a", "-m", "x", "-h", "host", "--insecure", "--cafile", "x"],
            "--insecure turns verification off",
        ),
        (["-t", "a", "-m", "x", "-h", "host", "--cafile", __file__, "--cert", __file__], "go together"),
        (["-t", "a", "-m", "x", "-h", "host", "--cafile", "/missing.pem"], "/missing.pem"),
        (["-t", "a", "-m", "x", "-h", "host", "-P", "secret"], "needs a user name"),
        (["-t", "a", "-m", "x", "-h", "host", "-u", "me", "--ask-password"], "holds no password"),
        (["-t", "a", "-m", "x", "-h", "host", "--will-payload", "x"], "--will-topic"),
        (["-t", "a", "-m", "x", "-h", "host", "--will-topic", "x"], "--will-payload"),
        (["-t", "a", "-m", "x", "-h", "host", "-q", "3"], "--qos"),
        (["-t", "a", "-m", "x" * 4097, "-h", "127.0.0.1"], "at most 4096 bytes"),
    ],
)
def test_wrong_usage(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, arguments: list[str], complaint: str
) -> None:
    port = ["-p", mosquitto.plain] if "127.0.0.1" in arguments else []
    result = run("pub", "-d", simulator.port, *arguments, *port)

    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret" not in result.output


def test_refused_publish_exits_with_1(to_broker: list[object], simulator: SimulatedModem, base: str) -> None:
    simulator.fail_next("CMQTTPUB", 17)

    result = run("pub", *to_broker, "-t", base, "-m", "x")

    assert result.exit_code == 1
    assert "+CMQTTPUB: 0,17" in result.stderr


def test_ctrl_c_between_two_lines_exits_with_130(
    to_broker: list[object], simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    with Terminal("pub", *to_broker, "-t", base, "-l") as terminal:
        terminal.press(b"typed\r")
        assert host.get().payload == b"typed"
        terminal.press(b"\x03")

        assert terminal.end() == 130
    assert simulator.received[-1] == "AT+CMQTTSTOP"


def test_simulator_without_broker_starts_one(base: str) -> None:
    result = run("pub", "-d", "simulator", "-t", base, "-m", "x", "-q", "1")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "simulated module on" in result.stderr
