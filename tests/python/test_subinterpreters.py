"""Only the first interpreter of a process can import the driver."""

import pytest

from child_scripts import Interpreter, interpreters, script
from simcom_mqtt.simulator import SimulatedModem


@pytest.mark.parametrize("interpreter", interpreters(), ids=str)
def test_import_in_a_subinterpreter_is_refused(interpreter: Interpreter, simulator: SimulatedModem) -> None:
    source = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
modem = SimcomMqtt(sys.argv[1])
import simcom_mqtt
for other in (interpreters.create(), interpreters.create()):
    interpreters.run_string(other, f'''
import os, sys
sys.path[:] = {sys.path!r}
try:
    import simcom_mqtt
except ImportError:
    os.write(1, b"refused ")
''')
    interpreters.destroy(other)
print(modem.command("AT"), flush=True)
"""
    with script(source, simulator.port, program=interpreter.program, options=("-W", "ignore")) as process:
        output, errors = process.communicate(timeout=30)

    assert (process.returncode, output.split(), errors) == (0, ["refused", "refused", "[]"], "")
