"""The student's side of a question: the functions of a notebook, asked for numbers, and the cells that define them.

protocol  what crosses to the grader: data     kernel  the functions of this process
call      one call, with nothing leaking       answers what was returned, as data
faults    what was raised, as data             cells   what became of the cells
"""
