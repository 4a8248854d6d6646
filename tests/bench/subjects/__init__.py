"""Subjects of the measurements, each in a process of its own.

A subject prepares, prints `ready`, waits for a line on its input, does its work and prints its measurements
as one line of JSON. Times are nanoseconds of the monotonic clock.
"""
