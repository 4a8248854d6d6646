"""Text for a terminal: printable, and with options and commands in place of Python names."""

from typing import Final

TERMINAL_WORDS: Final = (
    ("list_ports() shows what this machine has", "`simcom-mqtt ports` lists the ports of this machine"),
    ("list_ports() shows those of this machine", "`simcom-mqtt ports` lists those of this machine"),
    (" by this process, perhaps by an earlier SimcomMqtt", " by this command itself"),
    ("an earlier SimcomMqtt of this process? another script?", "another script?"),
    ("is_started()", "`simcom-mqtt doctor` shows it"),
    ("cell() and signal_quality() tell more", "`simcom-mqtt doctor` tells more"),
    ("check signal_quality()", "check the signal with `simcom-mqtt info`"),
    ("or signal_quality(), may tell", "or `simcom-mqtt info`, may tell"),
    ("signal_quality()", "`simcom-mqtt info`"),
    ("and cell()", "and `simcom-mqtt info`"),
    ("cell()", "`simcom-mqtt info` shows it"),
    ("limits() tells what", "`simcom-mqtt at COMMAND=?` tells what"),
    ("see certificates()", "`simcom-mqtt certs list` shows them"),
    ("query() tells", "`simcom-mqtt doctor` tells"),
    (" (start())", ""),
    ("stop(), then start()", "`simcom-mqtt at AT+CMQTTSTOP`"),
    (" (disconnect())", ""),
    ("disconnect() first", "disconnect it first"),
    ("release() it first", "release it first"),
    ("acquire() or connect() first", "the client was not acquired"),
    ("call set_will() again", "set the will again"),
    ('version="3.1.1"', "--protocol-version mqttv311"),
    ("the other `version`", "another --protocol-version"),
    ("needs check_utf8=False", 'needs AT+CMQTTCFG="checkUTF8",0,0'),
    (" (ignore_local_time)", ""),
    ("check the ca,", "check --cafile,"),
    ("are ca, cert and key PEM files", "are --cafile, --cert and --key PEM files"),
    ("belong to the cert?", "belong to the certificate?"),
    ("give it more with timeout", "give it more time with --timeout"),
    ("a longer timeout", "a longer --timeout"),
    ("the callbacks take too long, or queue_size is too small", "the output is read too slowly"),
    (
        "open it with a new SimcomMqtt; a Reconnect does that by itself",
        "run the command again; sub and soak reconnect by themselves",
    ),
)
"""Texts of the driver, and what stands for them on the terminal."""


def terminal_words(text: str) -> str:
    """Replace the Python names in a text of the driver."""
    for python, terminal in TERMINAL_WORDS:
        text = text.replace(python, terminal)
    return text


def error_text(error: BaseException) -> str:
    """Return the text of an error, without Python names and control characters."""
    return printable(terminal_words(str(error)))


def printable(text: str) -> str:
    r"""Return text with each character that could control a terminal, or cannot be encoded, as `\x1b`."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
