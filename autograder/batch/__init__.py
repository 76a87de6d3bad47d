"""Grades a class at a time: `autograder grade`, on all processors of a machine."""
