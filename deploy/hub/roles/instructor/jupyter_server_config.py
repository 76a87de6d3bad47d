"""For the servers of those who teach."""

import sys
from pathlib import Path

# Where coursehub is, whose formgrader_link (on in the JSON file beside this one) leads to the course's own server.
sys.path.append(str(Path(__file__).resolve().parents[2]))
