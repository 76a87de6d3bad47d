"""By hand: whether an answer was derived, or taken from a machine that differentiates.

    rules        what is forbidden or listed, as data      cells       a cell's text as a tree
    interpreter  the reading guard: runs the cells and     values      descriptions of values
                 then the answer on descriptions           sums        weighted sums of calls
    reading      its budget, and what it has found         arithmetic  where a difference shows
    points       values of a function at fixed points
    apart        who reads: this process or another
    statements, expressions, objects, library, numeric     what each part of the language makes of descriptions
    watch        the watching guard: what really runs      shifted     calls a small step apart

Nothing of a student's is run by the reading guard. Neither guard's silence proves anything.
"""
