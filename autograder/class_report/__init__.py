"""`autograder report`: what a class got wrong, as one page, a CSV file and a JSON file.

    command     reads, counts and writes
    work        the students and their answers, from the gradebook and the graded notebooks
    entries     what the gradebook knows beside the grades
    graded      one graded notebook: each question's answer, and what its tests said
    attempts    when a question was last run, where a notebook tells
    mistakes    where an answer broke first and by what slip, read from the test's message
    figures     every number of the report
    alike       answers that share what few others wrote
    plots       the drawings
    page        the HTML page
    files       the CSV and the JSON

It reads only. Students are named nowhere but in parts of the page that are closed until somebody opens them.
"""
