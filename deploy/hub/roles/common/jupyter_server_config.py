"""For every server of the hub."""

c = get_config()  # noqa: F821  (Jupyter puts it there)

# Lab shows the formgrader in a frame of the same site; nobody else's page may frame a server.
c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
c.ServerApp.answer_yes = True  # a server that is told to stop asks nobody

# A terminal has the server's PATH, with nbgrader on it. Jupyter's own choice is a login shell, which forgets it.
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}

# How long a server believes what the hub told it of a person: who leaves a course is out of its formgrader in a minute.
c.HubAuth.cache_max_age = 30  # seconds; JupyterHub's own is 300
