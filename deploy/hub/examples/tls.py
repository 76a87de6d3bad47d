"""The hub behind nginx, which holds the certificate: see nginx.conf beside this file. Copy to overrides.d.

In course.yaml the hub stays on loopback: `address: http://127.0.0.1:8000`.
"""

c = get_config()  # noqa: F821  (JupyterHub puts it there)

# What people type. Login services and the LMS send people back to it, whatever the hub sees of the connection itself.
c.JupyterHub.public_url = "https://hub.example.org/"
