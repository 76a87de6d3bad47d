"""The command line, a module for each who types it: `add_to(commands)` adds its commands.

A command imports what it needs when it runs, so that `autograder --help` is there at once.
"""
