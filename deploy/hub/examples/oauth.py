"""Log in through an OAuth 2 or OpenID Connect service, such as the university's. Copy to overrides.d and change it.

Needs `.venv/bin/pip install oauthenticator==17.4.0`. The service's answer says only who somebody is: course.yaml
decides who may come in, and to which course they belong. Every name needs a Linux account, which `setup` makes; a
password it needs none.
"""

import os

c = get_config()  # noqa: F821  (JupyterHub puts it there)
c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.login_service = "the university"  # on the button: Sign in with …

# What the service gave you when you registered the hub there. The secret is not for this file: `systemctl edit
# coursehub`, then [Service] and Environment=OAUTH_CLIENT_SECRET=…
c.GenericOAuthenticator.client_id = "coursehub"
c.GenericOAuthenticator.client_secret = os.environ["OAUTH_CLIENT_SECRET"]

# What the hub is known by there: its public address, then /hub/oauth_callback.
c.GenericOAuthenticator.oauth_callback_url = "https://hub.example.org/hub/oauth_callback"
c.GenericOAuthenticator.authorize_url = "https://login.example.org/authorize"
c.GenericOAuthenticator.token_url = "https://login.example.org/token"
c.GenericOAuthenticator.userdata_url = "https://login.example.org/userinfo"
c.GenericOAuthenticator.scope = ["openid", "profile"]
c.GenericOAuthenticator.enable_pkce = True  # most services know it; False if yours does not

# The field of the answer that holds the user name of course.yaml. It must be one that people cannot choose themselves.
c.GenericOAuthenticator.username_claim = "preferred_username"
# Where the service knows addresses only, alice@example.org is alice, and people of other domains are nobody:
# def local_part(userdata):
#     name, _, domain = userdata["email"].partition("@")
#     return name if domain == "example.org" and userdata.get("email_verified") else ""
# c.GenericOAuthenticator.username_claim = local_part
