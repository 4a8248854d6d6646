"""The parts of the soak: modules in processes of their own, faults, traffic, the account of all messages."""
