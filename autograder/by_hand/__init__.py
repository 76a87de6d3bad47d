"""By hand: whether an answer was derived, or taken from a machine that differentiates.

    rules        what is forbidden or listed, as data    values      descriptions of values
    cells        a cell's text as a tree                 arithmetic  where a difference shows
    interpreter  the reading guard: runs the cells and then the answer on descriptions
    language, objects, library, reading                  its parts, from a statement down to a finding
    watch        the watching guard: what really runs    shifted     calls a small step apart

Nothing of a student's is run by the reading guard. Neither guard's silence proves anything.
"""
