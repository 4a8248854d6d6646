"""The AT commands of the simulated module, one file an area."""
