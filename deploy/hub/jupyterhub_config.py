"""The hub's configuration: computed from course.yaml, then changed by the admin's overrides.

`COURSE_YAML` names another course.yaml than the one beside this file; `overrides.d` is looked for beside it.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from coursehub import course_isolation, hub_process, people, services, settings, spawning

c = get_config()  # noqa: F821  (JupyterHub puts it there)
try:
    course = settings.load(Path(os.environ.get("COURSE_YAML", Path(__file__).with_name("course.yaml"))))
    hub_process.configure(c, course)
    spawning.configure(c, course)
    services.configure(c, course)
    # Real accounts, checked by PAM as `login` does. PAM's sessions are for terminals, and the hub opens none.
    c.JupyterHub.authenticator_class = "shared-password" if course.demo else "pam"
    c.PAMAuthenticator.open_sessions = False

    # Files in overrides.d, in order of their names, may set everything else.
    for override in sorted((course.path.parent / "overrides.d").glob("*.py")):
        load_subconfig(str(override))  # noqa: F821

    # After the overrides, which must not change who belongs to which course.
    people.configure(c, course)
    course_isolation.check(c, course)
except settings.SettingsError as error:
    sys.exit(f"The hub does not start: {error}")
