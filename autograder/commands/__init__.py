"""The command line: a module for each kind of user, whose `add_to(commands)` adds its commands to the parser.

A command imports its modules when it runs, so that `autograder --help` is fast.
"""
