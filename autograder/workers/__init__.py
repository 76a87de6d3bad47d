"""Workers: the processes in which cells run.

What docs/security.md calls a *room* is where the cells of one owner run: the student's two, the examiner's one. A
*worker* is the process that is this room at the moment. A student's room can lose its worker, to a crash or an endless
loop; then `replay` starts another one, which runs the same cells again without the culprit.

Importing torch and IPython takes seconds, so it is done once in a run. Every worker is forked from a process that has
done it (`<` says "was forked by", namespaces are the level in this picture):

    grader                      nbgrader, the gradebook, the hidden tests; runs no cell and parses no student code
      fork server               torch and IPython are imported, nothing secret is known, one thread
        < examiner's branch     a fork server for one notebook, that has run the course's cells: points are drawn once
        |   < examiner          the tests run here, not isolated
        < outer process         has made the namespaces that all students share, and waits
            < prepared sandbox  a fork server for students, inside of these
                < student       process 1 of a room's own process space: seccomp, Landlock and limits hold from before
                                the first cell; the grader ends it by its pidfd, and the kernel the rest

At the Landlock level the fork server itself forks a subreaper, and that the student: what the student's code starts
stays below it and ends with it. If the grader dies, the fork server sees its socket close, ends every process below it,
and removes the run's scratch folder.

One turn of a worker:

    launchers     say which fork server a worker comes from
    launcher      the grader orders a worker from the fork server, and sends along the socket on which it will reply
    forkserver    the fork server forks, and sends back a pidfd; the new process confines itself and says "locked"
    client        only now the grader sends student code: put_file, run_cell, ask; one order, one reply
    worker        the worker obeys; meanwhile the client watches what it uses
    client        what an examiner's test asks or borrows meanwhile, the student's worker answers
    pool          workers for the next submission are started meanwhile

A worker's replies are hostile. `wire` decodes them into checked data, `outputs` makes them into a notebook's outputs,
and `redaction` takes out of them what could tell a hidden point. Inside a worker, `shell` runs cells and records their
output, `integrity` undoes what cells have made of the modules that answer, `files` writes the submission's files.
"""
