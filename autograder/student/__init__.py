"""The student's side of a question: the functions of a notebook, asked for numbers, and the cells that define them.

    protocol  what crosses to the grader: data      kernel   the functions of this process
    call      one call, which changes nothing else  answers  what was returned, as data
    faults    what was raised, as data              cells    what became of the cells
    shown     whether what answers is what cells define
                                                    originals  whether torch computes as it did

What a student's object does when it is looked at happens here, on the student's side: the grader sees plain data.
"""
