"""Run `python -m ui.cli` as `paperchat`."""

from ui.cli import main

if __name__ == "__main__":
    main()
