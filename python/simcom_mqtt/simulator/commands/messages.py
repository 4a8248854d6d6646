"""Messages: TOPIC, PAYLOAD, PUB, SUB, UNSUB, and the topic lists of sibling firmwares."""

from collections.abc import Callable
from typing import TypeVar

from ..answer import Answer, Refused
from ..command_line import CommandLine, Form
from ..module import Module
from ..module_client import Client
from ..result_codes import SUCCEEDED, TOPIC_IS_EMPTY
from .registry import command, test_form
from .service import addressed_client
from .session import ask_for_topic, check_topic, data_length

T = TypeVar("T")

LONGEST_PUBLISH = 180.0
"""The timeout of a publish with its topic as parameter, in seconds."""

test_form("CMQTTTOPIC", "(0-1),(1-1024)")
test_form("CMQTTPAYLOAD", "(0-1),(1-{maximum_payload})")
test_form("CMQTTPUB", "(0-1),(0-2),({shortest_timeout}-180),(0-1),(0-1)")
test_form("CMQTTSUB", "(0-1),(1-1024),(0-2),(0-1)")
test_form("CMQTTUNSUB", "(0-1),(1-1024),(0-1)")
test_form("CMQTTSUBTOPIC", "(0-1),(1-1024),(0-2)")
test_form("CMQTTUNSUBTOPIC", "(0-1),(1-1024)")


@command("CMQTTTOPIC", Form.WRITE)
def _set_topic(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 2)
    client = addressed_client(module, line, answer)
    client.require_connected()
    acquired = client.acquired

    def entered(topic: bytes) -> None:
        acquired.topic = topic
        answer.ok()

    ask_for_topic(line, answer, client, entered)


@command("CMQTTPAYLOAD", Form.WRITE)
def _set_payload(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 2)
    client = addressed_client(module, line, answer)
    client.require_connected()
    acquired = client.acquired

    def entered(payload: bytes) -> None:
        acquired.payload = payload
        answer.ok()

    answer.prompt(data_length(line, module.profile.maximum_payload), entered)


@command("CMQTTPUB", Form.WRITE)
def _publish(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(3, 5)
    client = addressed_client(module, line, answer)
    if client.configuration.has_topic_arguments:
        _publish_to_topic(module, line, answer, client)
        return
    qos = line.number(1, 0, 2)
    timeout = line.number(2, module.profile.shortest_timeout, 180)
    retain = bool(line.number(3, 0, 1, default=0))
    duplicate = bool(line.number(4, 0, 1, default=0))
    client.publish(answer, qos, timeout, retain, duplicate)


def _publish_to_topic(module: Module, line: CommandLine, answer: Answer, client: Client) -> None:
    topic = line.text(1)
    qos = line.number(2, 0, 2)
    length = data_length(line, module.profile.maximum_payload, 3)
    retain = bool(line.number(4, 0, 1, default=0))
    check_topic(client, topic)
    client.require_connection()
    acquired = client.acquired

    def entered(payload: bytes) -> None:
        acquired.topic, acquired.payload = topic, payload
        try:
            client.publish(answer, qos, LONGEST_PUBLISH, retain, False)
        except Refused as refusal:
            answer.refuse(refusal.code)  # the connection was lost while the payload was entered

    answer.prompt(length, entered)


@command("CMQTTSUB", Form.WRITE)
def _subscribe(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 4)
    client = addressed_client(module, line, answer)
    if client.configuration.has_topic_arguments and len(line.parameters) > 1:
        topic, qos = line.text(1), line.number(2, 0, 2)
        check_topic(client, topic)
        client.subscribe(answer, [(topic, qos)], bool(line.number(3, 0, 1, default=0)))
        return
    if len(line.parameters) <= 2:
        duplicate = bool(line.number(1, 0, 1, default=0))
        _use_list(module, answer, client, client.acquired.subscribing, client.subscribe, duplicate)
        return
    qos = line.number(2, 0, 2)
    duplicate = bool(line.number(3, 0, 1, default=0))
    client.require_connection()
    ask_for_topic(line, answer, client, lambda topic: client.subscribe(answer, [(topic, qos)], duplicate))


@command("CMQTTUNSUB", Form.WRITE)
def _unsubscribe(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 3)
    client = addressed_client(module, line, answer)
    if client.configuration.has_topic_arguments and len(line.parameters) > 1:
        topic = line.text(1)
        check_topic(client, topic)
        client.unsubscribe(answer, [topic], bool(line.number(2, 0, 1, default=0)))
        return
    if len(line.parameters) <= 2:
        duplicate = bool(line.number(1, 0, 1, default=0))
        _use_list(module, answer, client, client.acquired.unsubscribing, client.unsubscribe, duplicate)
        return
    duplicate = bool(line.number(2, 0, 1))
    client.require_connection()
    ask_for_topic(line, answer, client, lambda topic: client.unsubscribe(answer, [topic], duplicate))


@command("CMQTTSUB", Form.READ)
def _show_subscriptions(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information("+CMQTTSUB:")
    for client in module.clients:
        for topic in client.subscriptions:
            answer.information(topic)
    answer.ok()


@command("CMQTTSUBTOPIC", Form.WRITE)
def _stage_subscription(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(3, 3)
    client = addressed_client(module, line, answer)
    qos = line.number(2, 0, 2)
    acquired = client.acquired

    def entered(topic: bytes) -> None:
        acquired.subscribing.append((topic, qos))
        answer.ok()

    ask_for_topic(line, answer, client, entered)


@command("CMQTTUNSUBTOPIC", Form.WRITE)
def _stage_unsubscription(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 2)
    client = addressed_client(module, line, answer)
    acquired = client.acquired

    def entered(topic: bytes) -> None:
        acquired.unsubscribing.append(topic)
        answer.ok()

    ask_for_topic(line, answer, client, entered)


def _use_list(
    module: Module,
    answer: Answer,
    client: Client,
    topics: list[T],
    request: Callable[[Answer, list[T], bool], None],
    duplicate: bool,
) -> None:
    client.require_connection()
    if not module.profile.has_topic_lists:
        answer.accept()
        answer.conclude(answer.failure or SUCCEEDED)
        return
    if not topics:
        raise Refused(TOPIC_IS_EMPTY)
    staged = topics.copy()
    topics.clear()
    request(answer, staged, duplicate)
