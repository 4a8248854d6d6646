"""The runner's parts: processes, statistics, what is measured, and the tables and curves made of it."""
