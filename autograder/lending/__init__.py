"""What an ordinary test of a course borrows of a student's: data as copies, and stand-ins for all else.

A test such as `assert squares(3) == [1, 4, 9]` runs in the examiner's room, and what it names of the student's is in
the student's. So before the test runs, its names are *borrowed*:

    loan       the examiner's end: names, and what stand-ins ask
    stand_ins  functions, classes and objects that ask the student's room
    lender     the student's end: a number for whatever is no data
    own        what the examiner's room has itself, and does not borrow
    arguments  what a function may change of what it is given
    coder      data as JSON                 reader  and back, in exact types
    kinds      which types and sizes cross  frames  the same for pandas
    plain      named tuples and other subclasses of plain types
    specials   Python's special methods and exceptions

Nothing that the student's room sends is unpickled, evaluated or imported, and no code of a student's runs in the
examiner's room. Of a student's object, whether it is equal to something or what number it is is asked only where the
course's own solution was asked it: else one that is equal to everything would pass every test.
"""
