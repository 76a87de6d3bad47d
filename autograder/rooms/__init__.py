"""Grading without trust: a student's code and the tests run in different rooms, behind plain `nbgrader autograde`.

    exporter      one grading run        sandbox, filters   how a student's room is locked
    engine        one submission         zygote, warm       where rooms come from
    replay        the student's rooms    room, shell        what happens inside one
    book, restore whose cell is whose    wire, sealed       what may come out of one

nbgrader_config.py names `TwoRooms`, `Restore`, `Engine`, `SaveGrades` and `Sanitise`.
"""
