"""What is measured, each in a process of its own.

A subject prepares, says `ready`, waits for a line on its input, does its work and says what it measured as
one line of JSON. Times are nanoseconds of the monotonic clock.
"""
