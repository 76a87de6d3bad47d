"""The hub's own process: its addresses, its state folder, which only its account can read, and its proxy."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from traitlets.config import Config

from coursehub.settings import HUB_ACCOUNT, Settings, SettingsError

DEMO = "A demonstration: one password for everybody, one Linux account for all. Nothing here is protected."
PROXY = Path(sys.prefix) / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy"


def configure(c: Config, settings: Settings) -> None:
    state = settings.state
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)  # the database, the cookie secret and the proxy's token are in it
    os.umask(0o077)
    c.JupyterHub.bind_url = settings.address
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.hub_port}"
    c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
    c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")
    c.JupyterHub.cleanup_servers = settings.demo  # outside the demo people go on working while the hub restarts
    # JupyterLab shows the formgrader in a frame; no other site may show the hub in one.
    c.JupyterHub.tornado_settings = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
    if settings.demo:
        c.JupyterHub.template_vars = {"announcement": DEMO}
        c.SharedPasswordAuthenticator.user_password = (state / "password").read_text().strip()
    proxy = str(PROXY) if PROXY.exists() else shutil.which("configurable-http-proxy")
    if proxy is None:
        raise SettingsError(
            f"The proxy configurable-http-proxy is missing (looked at {PROXY} and on PATH); `make proxy` installs it."
        )
    # The proxy is what strangers reach, so it does not run as root, unless it must open a port below 1024.
    port = urlsplit(settings.address).port or 80
    as_hub = ["setpriv", f"--reuid={HUB_ACCOUNT}", f"--regid={HUB_ACCOUNT}", "--clear-groups"]
    c.ConfigurableHTTPProxy.command = [proxy] if settings.demo or port < 1024 else [*as_hub, proxy]
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_port}"
    c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
