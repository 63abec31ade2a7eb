"""Run `paperchat` in a process of its own, as a client starts it, with fakes of the models.

FAKES names more of them (`tests.unit.mcp.slow_fakes`). `modules` keeps the models as they are, and writes the names of
the loaded modules to the file MODULES when they begin to load.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ui import cli


def main() -> None:
    """Replace the models, then run the command."""
    fakes = os.environ.get("FAKES", "").split()
    if "modules" in fakes:
        _write_modules()
    else:
        from tests.unit.mcp.slow_fakes import replace_models

        replace_models(fakes)
    cli.main()


def _write_modules() -> None:
    from ui.mcp.access import LibraryAccess

    file = Path(os.environ["MODULES"])
    LibraryAccess.warm = lambda _: file.write_text(json.dumps(sorted(sys.modules)))  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    main()
