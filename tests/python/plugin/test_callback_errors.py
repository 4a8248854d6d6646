"""An exception in a callback fails the test during which it was raised, once."""

import re

import pytest

from plugin.conftest import Run

RAISING = """
    import pytest, threading

    def make_raise(simcom, simcom_simulator, *errors):
        done = threading.Event()
        errors = list(errors)
        def callback(line):
            if line == "+LAST":
                done.set()
            else:
                raise errors.pop(0)
        simcom.on_urc = callback
        for _ in list(errors):
            simcom_simulator.urc("+NOW")
        simcom_simulator.urc("+LAST")
        assert done.wait(5)
"""


def test_a_test_that_would_pass_fails_with_the_traceback(simulated: Run) -> None:
    result = simulated(
        """
        def test_it(simcom_client, simcom_topic_prefix):
            def wrong(message):
                assert message.text() == "expected"

            simcom_client.subscribe(simcom_topic_prefix, callback=wrong)
            with simcom_client.capture() as inbox:
                simcom_client.publish(simcom_topic_prefix, "received", qos=1)
                inbox.get()

        def test_after(simcom):
            pass
        """
    )

    # The callback may run while the test ends: then it is the teardown that fails.
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 1
    assert outcomes["passed"] + outcomes.get("failed", 0) == 2
    result.stdout.fnmatch_lines(
        ["> *assert message.text() == *", "E *assert 'received' == 'expected'", "E *raised in a callback*"]
    )
    tracebacks = [line for line in result.outlines if re.match(r"E +raised in a callback", line)]
    assert len(tracebacks) == 1


def test_it_is_told_once_and_of_the_right_test(simulated: Run) -> None:
    result = simulated(
        RAISING
        + """
    def test_before(simcom): pass

    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("in the callback"))

    def test_after(simcom): pass
    """
    )

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_it - ValueError: in the callback*"])


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("SystemExit(0)", "SystemExit"),
        ("KeyboardInterrupt()", "KeyboardInterrupt"),
        ("pytest.skip.Exception('no')", "Skipped"),
    ],
)
def test_what_is_no_exception_fails_the_test_too(simulated: Run, error: str, name: str) -> None:
    result = simulated(
        RAISING
        + f"""
    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, {error})
    """
    )

    result.assert_outcomes(failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*raised in a callback*", f"*{name}*"])


def test_all_of_several_are_shown(simulated: Run) -> None:
    result = simulated(
        RAISING
        + """
    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("the first"), KeyError("the second"))
    """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*2 sub-exceptions*", "*ValueError: the first*", "*KeyError: 'the second'*"])


def test_it_stands_beside_the_failure_of_the_test_itself(simulated: Run) -> None:
    result = simulated(
        RAISING
        + """
    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("in the callback"))
        assert not "the test itself"
    """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*assert not 'the test itself'*", "*raised in a callback*", "*ValueError: in the callback"]
    )


def test_it_is_seen_after_a_reopening_too(simulated: Run) -> None:
    result = simulated(
        RAISING
        + """
    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("before closing"))
        simcom.close()

    def test_again(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("after opening"))
    """
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["FAILED *before closing*", "FAILED *after opening*"])


def test_one_that_comes_after_the_test_is_an_error_of_its_teardown(simulated: Run) -> None:
    result = simulated(
        RAISING
        + """
    @pytest.fixture
    def late(simcom, simcom_simulator):
        yield
        make_raise(simcom, simcom_simulator, ValueError("late"))

    def test_it(late): pass

    def test_after(simcom): pass
    """
    )

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["ERROR *::test_it - ValueError: late*"])


@pytest.mark.parametrize("giving_up", ["pytest.skip('later')", "pytest.xfail('known')"])
def test_a_test_that_gives_up_does_not_hide_it(simulated: Run, giving_up: str) -> None:
    result = simulated(
        RAISING
        + f"""
    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("in the callback"))
        {giving_up}
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*in the callback*"])
