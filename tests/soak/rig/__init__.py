"""Parts of the soak: modules in processes of their own, faults, traffic, and the log of all messages."""
