"""What this machine computes with, told without importing PyTorch."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Present where the driver of a graphics processor is that PyTorch computes on: NVIDIA's, AMD's, and Windows' for Linux.
_DRIVERS = ("/proc/driver/nvidia/version", "/dev/kfd", "/dev/dxg", "C:/Windows/System32/nvcuda.dll")


def thread_count() -> int:
    """Return the threads of a forward pass: OMP_NUM_THREADS where it is set, or the processors of this process."""
    with suppress(ValueError):
        return max(1, int(os.environ.get("OMP_NUM_THREADS", "")))
    with suppress(AttributeError):  # only some systems restrict a process to a part of the processors
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_graphics_processor() -> bool:
    """Return whether PyTorch is likely to find a graphics processor; Apple's are not counted."""
    return not installed("torch").endswith(("+cpu", "none")) and any(Path(driver).exists() for driver in _DRIVERS)


def describe() -> str:
    """Return the processor and the threads used of it."""
    return f"{platform.machine()} {_model()} {thread_count()} threads"


def installed(package: str) -> str:
    """Return the version of a package, `none` where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _model() -> str:
    """Return the name of the processor, as far as the operating system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
