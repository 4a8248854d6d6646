"""A simulated SIM7672X module, for tests and demonstrations without hardware.

It needs the extra `simulator`: `pip install simcom-mqtt[simulator]`.
"""

from .modem import SimulatedModem

__all__ = ["SimulatedModem"]
