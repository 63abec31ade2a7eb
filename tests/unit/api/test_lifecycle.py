"""Waiting for the signal that ends a server."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from ui.lifecycle import StopSignals

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_interrupts_no_system_call_of_the_main_thread_ends_the_wait(number: signal.Signals) -> None:
    def signal_this_thread() -> None:
        time.sleep(0.1)
        signal.pthread_kill(threading.get_ident(), number)

    sender = threading.Thread(target=signal_this_thread)
    with StopSignals() as signals:
        sender.start()
        signals.wait()
        assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGINT) == signal.SIG_DFL
        sender.join()


def test_a_signal_before_the_wait_ends_it() -> None:
    with StopSignals() as signals:
        signal.raise_signal(signal.SIGTERM)
        signals.wait()


def test_the_wait_can_be_ended_without_a_signal_and_the_handlers_return() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with StopSignals() as signals:
        signals.stop()
        signals.wait()
    signals.stop()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == handlers
