"""START, STOP, ACCQ, REL, SSLCFG, CFG: forms, state errors and clearing."""

import pytest

from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"

WRITE_AND_READ_FORMS = [
    b"AT+CMQTTSTOP",
    b'AT+CMQTTACCQ=0,"c"',
    b"AT+CMQTTACCQ?",
    b"AT+CMQTTREL=0",
    b"AT+CMQTTREL?",
    b"AT+CMQTTSSLCFG=0,1",
    b"AT+CMQTTSSLCFG?",
    b"AT+CMQTTWILLTOPIC=0,1",
    b"AT+CMQTTWILLMSG=0,1,0",
    b'AT+CMQTTCONNECT=0,"tcp://host",60,1',
    b"AT+CMQTTCONNECT?",
    b"AT+CMQTTDISC=0",
    b"AT+CMQTTDISC?",
    b"AT+CMQTTTOPIC=0,1",
    b"AT+CMQTTPAYLOAD=0,1",
    b"AT+CMQTTPUB=0,0,60",
    b"AT+CMQTTSUB=0,1,0",
    b"AT+CMQTTSUB=0",
    b"AT+CMQTTSUB?",
    b"AT+CMQTTUNSUB=0,1,0",
    b'AT+CMQTTCFG="version",0,4',
    b"AT+CMQTTCFG?",
]


@pytest.mark.parametrize("command", WRITE_AND_READ_FORMS)
def test_commands_before_start_fail(wire: Wire, command: bytes) -> None:
    wire.ask(command, ERROR)


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (b"CMQTTACCQ", [b"(0-1),(1-128)[,(0-1)]"]),
        (b"CMQTTREL", [b"(0-1)"]),
        (b"CMQTTSSLCFG", [b"(0,1),(0-9)"]),
        (b"CMQTTWILLTOPIC", [b"(0-1),(1-1024)"]),
        (b"CMQTTWILLMSG", [b"(0-1),(1-1024),(0-2)"]),
        (b"CMQTTCONNECT", [b"(0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]"]),
        (b"CMQTTDISC", [b"(0-1),(0, 60-180)"]),
        (b"CMQTTTOPIC", [b"(0-1),(1-1024)"]),
        (b"CMQTTPAYLOAD", [b"(0-1),(1-4096)"]),
        (b"CMQTTPUB", [b"(0-1),(0-2),(60-180),(0-1),(0-1)"]),
        (b"CMQTTSUB", [b"(0-1),(1-1024),(0-2),(0-1)"]),
        (b"CMQTTUNSUB", [b"(0-1),(1-1024),(0-1)"]),
        (b"CMQTTCFG", [b'"checkUTF8",(0-1),(0-1)', b'"optimeout ",(0-1),(20-120)', b'"version",(0-1),(3-4)']),
    ],
)
def test_test_forms_show_ranges(wire: Wire, command: bytes, lines: list[bytes]) -> None:
    shown = b"\r\n" + b"".join(b"+%b: %b\r\n" % (command, line) for line in lines)
    wire.ask(b"AT+%b=?" % command, shown + OK)


class TestStartAndStop:
    def test_start_and_stop(self, wire: Wire) -> None:
        wire.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 0\r\n")
        wire.ask(b"AT+CMQTTSTART", ERROR)
        wire.ask(b"AT+CMQTTSTOP", OK + b"\r\n+CMQTTSTOP: 0\r\n")
        wire.ask(b"AT+CMQTTSTOP", ERROR)

    def test_start_and_stop_with_pdp_context(self, wire: Wire) -> None:
        wire.ask(b"AT+CMQTTSTART=1", OK + b"\r\n+CMQTTSTART: 0,1\r\n")
        wire.ask(b"AT+CMQTTSTOP=1", OK + b"\r\n+CMQTTSTOP: 0,1\r\n")

    def test_stop_with_acquired_client_fails(self, acquired: Wire) -> None:
        acquired.ask(b"AT+CMQTTSTOP", b"\r\n+CMQTTSTOP: 19\r\n" + ERROR)


class TestAcquire:
    def test_read_form_shows_both_clients(self, started: Wire) -> None:
        started.ask(b"AT+CMQTTACCQ?", b'\r\n+CMQTTACCQ: 0,"",0\r\n+CMQTTACCQ: 1,"",0\r\n' + OK)
        started.ok(b'AT+CMQTTACCQ=0,"a12mmmm",0')
        started.ok(b'AT+CMQTTACCQ=1,"b",1')
        started.ask(b"AT+CMQTTACCQ?", b'\r\n+CMQTTACCQ: 0,"a12mmmm",0\r\n+CMQTTACCQ: 1,"b",1\r\n' + OK)

    def test_server_type_is_optional(self, started: Wire) -> None:
        started.ok(b'AT+CMQTTACCQ=1,"client test0"')
        started.ask(b"AT+CMQTTACCQ?", b'\r\n+CMQTTACCQ: 0,"",0\r\n+CMQTTACCQ: 1,"client test0",0\r\n' + OK)

    def test_second_acquire_is_refused(self, acquired: Wire) -> None:
        acquired.ask(b'AT+CMQTTACCQ=0,"again"', b"\r\n+CMQTTACCQ: 0,19\r\n" + ERROR)

    @pytest.mark.parametrize(
        ("length", "answer"),
        [
            (0, b"\r\n+CMQTTACCQ: 0,22\r\n" + ERROR),
            (1, OK),
            (128, OK),
            (129, b"\r\n+CMQTTACCQ: 0,22\r\n" + ERROR),
        ],
    )
    def test_client_id_length_out_of_range_is_refused(
        self, started: Wire, length: int, answer: bytes
    ) -> None:
        started.ask(b'AT+CMQTTACCQ=0,"%b"' % (b"x" * length), answer)

    @pytest.mark.parametrize("parameters", [b"", b"0", b'2,"c"', b"0,c", b'0,"c",2', b'0,"c",0,0', b'0,"c'])
    def test_bad_parameters(self, started: Wire, parameters: bytes) -> None:
        started.ask(b"AT+CMQTTACCQ=" + parameters, ERROR)


class TestRelease:
    def test_acquired_client_is_released(self, acquired: Wire) -> None:
        acquired.ok(b"AT+CMQTTREL=0")
        acquired.ok(b"AT+CMQTTREL?")

    def test_release_of_free_client_fails(self, started: Wire) -> None:
        started.ask(b"AT+CMQTTREL=1", b"\r\n+CMQTTREL: 1,20\r\n" + ERROR)

    def test_release_while_connected_fails(self, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTREL=0", ERROR)


class TestSslContextOfAClient:
    def test_context_is_empty_until_set(self, started: Wire) -> None:
        started.ask(b"AT+CMQTTSSLCFG?", b"\r\n+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,\r\n" + OK)
        started.ok(b"AT+CMQTTSSLCFG=1,9")
        started.ask(b"AT+CMQTTSSLCFG?", b"\r\n+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,9\r\n" + OK)

    def test_context_is_cleared_by_disc(self, connected: Wire) -> None:
        connected.ok(b"AT+CMQTTSSLCFG=0,3")
        connected.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
        connected.ask(b"AT+CMQTTSSLCFG?", b"\r\n+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,\r\n" + OK)

    def test_context_survives_successful_connect(self, acquired: Wire) -> None:
        acquired.ok(b"AT+CMQTTSSLCFG=0,3")
        acquired.ask(b'AT+CMQTTCONNECT=0,"tcp://host",60,1', OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
        acquired.ask(b"AT+CMQTTSSLCFG?", b"\r\n+CMQTTSSLCFG: 0,3\r\n+CMQTTSSLCFG: 1,\r\n" + OK)

    @pytest.mark.parametrize("parameters", [b"2,0", b"0,10", b"0", b"0,0,0"])
    def test_bad_parameters(self, started: Wire, parameters: bytes) -> None:
        started.ask(b"AT+CMQTTSSLCFG=" + parameters, ERROR)


class TestConfiguration:
    DEFAULTS = b"\r\n+CMQTTCFG: 0,1,120\r\n+CMQTTCFG: 1,1,120\r\n" + OK

    def test_settings_are_set_one_by_one_and_cleared_by_rel(self, acquired: Wire) -> None:
        acquired.ask(b"AT+CMQTTCFG?", self.DEFAULTS)
        acquired.ok(b'AT+CMQTTCFG="optimeout",0,24')
        acquired.ok(b'AT+CMQTTCFG="checkUTF8",0,0')
        acquired.ok(b'AT+CMQTTCFG="version",0,4')
        acquired.ask(b"AT+CMQTTCFG?", b"\r\n+CMQTTCFG: 0,0,24\r\n+CMQTTCFG: 1,1,120\r\n" + OK)
        acquired.ok(b"AT+CMQTTREL=0")
        acquired.ask(b"AT+CMQTTCFG?", self.DEFAULTS)
        acquired.ok(b'AT+CMQTTACCQ=0,"again"')
        acquired.ask(b"AT+CMQTTCFG?", self.DEFAULTS)

    def test_settings_need_acquired_client(self, started: Wire) -> None:
        started.ask(b'AT+CMQTTCFG="version",0,4', ERROR)

    def test_settings_are_refused_while_connected(self, connected: Wire) -> None:
        connected.ask(b'AT+CMQTTCFG="version",0,4', ERROR)

    @pytest.mark.parametrize(
        "parameters",
        [
            b'"version",0,2',
            b'"version",0,5',
            b'"optimeout",0,19',
            b'"optimeout",0,121',
            b'"checkUTF8",0,2',
            b'"checkUTF8",2,0',
            b'"other",0,1',
            b"version,0,4",
        ],
    )
    def test_bad_parameters(self, acquired: Wire, parameters: bytes) -> None:
        acquired.ask(b"AT+CMQTTCFG=" + parameters, ERROR)


@pytest.mark.parametrize(
    ("command", "result"),
    [
        (b"AT+CMQTTWILLTOPIC=0,5", b"+CMQTTWILLTOPIC: 0,20"),
        (b"AT+CMQTTWILLMSG=0,5,0", b"+CMQTTWILLMSG: 0,20"),
        (b'AT+CMQTTCONNECT=0,"tcp://host",60,1', b"+CMQTTCONNECT: 0,20"),
        (b"AT+CMQTTDISC=1,60", b"+CMQTTDISC: 1,20"),
        (b"AT+CMQTTTOPIC=0,5", b"+CMQTTTOPIC: 0,20"),
        (b"AT+CMQTTPAYLOAD=0,5", b"+CMQTTPAYLOAD: 0,20"),
        (b"AT+CMQTTPUB=0,1,60", b"+CMQTTPUB: 0,20"),
        (b"AT+CMQTTSUB=0,5,1", b"+CMQTTSUB: 0,20"),
        (b"AT+CMQTTSUB=0", b"+CMQTTSUB: 0,20"),
        (b"AT+CMQTTUNSUB=0,5,0", b"+CMQTTUNSUB: 0,20"),
    ],
)
def test_client_commands_need_acquired_client(started: Wire, command: bytes, result: bytes) -> None:
    started.ask(command, b"\r\n" + result + b"\r\n" + ERROR)


@pytest.mark.parametrize(
    ("command", "result"),
    [
        (b"AT+CMQTTDISC=0", b"+CMQTTDISC: 0,11"),
        (b"AT+CMQTTTOPIC=0,5", b"+CMQTTTOPIC: 0,11"),
        (b"AT+CMQTTPAYLOAD=0,5", b"+CMQTTPAYLOAD: 0,11"),
        (b"AT+CMQTTPUB=0,1,60", b"+CMQTTPUB: 0,11"),
        (b"AT+CMQTTSUB=0,5,1", b"+CMQTTSUB: 0,11"),
        (b"AT+CMQTTUNSUB=0,5,0", b"+CMQTTUNSUB: 0,11"),
        (b"AT+CMQTTUNSUB=0,0", b"+CMQTTUNSUB: 0,11"),
    ],
)
def test_session_commands_need_connection(acquired: Wire, command: bytes, result: bytes) -> None:
    acquired.ask(command, b"\r\n" + result + b"\r\n" + ERROR)
