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


def test_passing_test_fails_with_traceback_of_callback(simulated: Run) -> None:
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

    # The callback may still run at the end of the test: then the teardown fails.
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 1
    assert outcomes["passed"] + outcomes.get("failed", 0) == 2
    result.stdout.fnmatch_lines(
        ["> *assert message.text() == *", "E *assert 'received' == 'expected'", "E *raised in a callback*"]
    )
    tracebacks = [line for line in result.outlines if re.match(r"E +raised in a callback", line)]
    assert len(tracebacks) == 1


def test_exception_is_reported_once_and_with_its_test(simulated: Run) -> None:
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
def test_base_exception_fails_the_test_too(simulated: Run, error: str, name: str) -> None:
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


def test_several_exceptions_are_all_shown(simulated: Run) -> None:
    result = simulated(
        RAISING
        + """
    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("the first"), KeyError("the second"))
    """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*2 sub-exceptions*", "*ValueError: the first*", "*KeyError: 'the second'*"])


def test_failing_test_has_section_with_exception(simulated: Run) -> None:
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


def test_exception_after_reopening_is_reported(simulated: Run) -> None:
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


def test_exception_after_the_test_fails_its_teardown(simulated: Run) -> None:
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


@pytest.mark.parametrize("outcome", ["pytest.skip('later')", "pytest.xfail('known')"])
def test_skip_or_xfail_does_not_hide_exception(simulated: Run, outcome: str) -> None:
    result = simulated(
        RAISING
        + f"""
    def test_it(simcom, simcom_simulator):
        make_raise(simcom, simcom_simulator, ValueError("in the callback"))
        {outcome}
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*in the callback*"])
