"""Log in by a link in Moodle, Canvas or another LMS: LTI 1.3. Copy to overrides.d and change it.

Needs `.venv/bin/pip install jupyterhub-ltiauthenticator==1.6.3`, and TLS (tls.py beside this file): the LMS shows or
opens the hub by https only. Register the hub there as an LTI 1.3 tool with

    tool and launch URL         https://hub.example.org/
    initiate login URL          https://hub.example.org/hub/lti13/oauth_login
    redirection URI             https://hub.example.org/hub/lti13/oauth_callback
    opens in                    a new window (browsers keep a hub's cookies from pages that frame it)

The LMS says only who somebody is: course.yaml decides who may come in, and to which course they belong. Every name
needs a Linux account, which `setup` makes; a password it needs none.
"""

c = get_config()  # noqa: F821  (JupyterHub puts it there)
c.JupyterHub.authenticator_class = "ltiauthenticator.lti13.auth.LTI13Authenticator"
c.LTI13Authenticator.uri_scheme = "https"  # what people see; nginx speaks http to the hub

# What the LMS shows after the registration.
c.LTI13Authenticator.issuer = "https://moodle.example.org"
c.LTI13Authenticator.authorize_url = "https://moodle.example.org/mod/lti/auth.php"
c.LTI13Authenticator.jwks_endpoint = "https://moodle.example.org/mod/lti/certs.php"
c.LTI13Authenticator.client_id = {"the-id-that-the-LMS-gave"}

# The field that holds the user name of course.yaml. In Moodle add the custom parameter  login=$User.username  to the
# tool. It must be one that people cannot choose themselves; without it there is a number (`sub`), which nobody is.
c.LTI13Authenticator.username_key = "custom_login"
