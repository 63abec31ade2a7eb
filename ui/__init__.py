"""The faces of paperchat: the command line, the page, and exports."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
