"""How the kernel confines the code of a student.

    limits       what a process may use, the levels of isolation, the places of the private root
    isolation    `enter`: confines the process that calls it, at one of the levels
    namespaces   the stronger level: a system of its own, made of namespaces
    in_place     the weaker levels: the process stays among the files and processes of whoever grades
    seccomp      which system calls are refused
    landlock     which files can be opened
    visible      what can be seen from inside: folders to read, the environment
    processes    processes and what they use, looked at and ended from outside
    folders      folders that students have filled: walked, copied, measured, removed
    syscalls     the system calls that Python 3.11 lacks

Nothing here knows of notebooks or of nbgrader. docs/security.md says what each level protects.
"""
