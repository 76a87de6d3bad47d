"""How the kernel locks a process in: namespaces, or Landlock where there are none, seccomp and limits in both."""
