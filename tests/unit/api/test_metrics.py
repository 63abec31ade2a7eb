"""What `/metrics` says, to whom, and that nothing in it comes from a user."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from assistant.chat import Assistant
from assistant.errors import ModelError
from assistant.settings import Settings
from tests.conftest import BEES
from tests.unit.api.conftest import Serve
from ui.api import server
from ui.api.tokens import open_tokens
from ui.metrics import ServerMetrics
from ui.permissions import Role
from ui.work_queue import QueueFullError, WorkQueue

EVERYWHERE = "0.0.0.0"  # noqa: S104
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(text: str) -> Samples:
    """Return the numbers by name and labels; what is not in the format of Prometheus is an error."""
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def scrape(address: object) -> Samples:
    reply = httpx.get(f"{address}/metrics", timeout=60)
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples_of(reply.text)


def counted(address: object, count: int) -> Samples:
    """Return the numbers once so many requests are counted: each is counted after its client has the reply."""
    for _ in range(1000):
        samples = scrape(address)
        total = sum(
            value
            for (name, labels), value in samples.items()
            if name == "paperchat_http_requests_total" and ("route", "/metrics") not in labels
        )
        if total >= count:
            return samples
        time.sleep(0.01)
    raise AssertionError(f"only {total} requests were counted")


def number(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_requests_questions_and_stages_are_counted_and_the_library_is_described(api: httpx.Client) -> None:
    for question in (BEES, "What is the capital of Mongolia?"):
        api.post("/api/v1/ask", json={"question": question})
    api.post("/v1/chat/completions", json={"model": "paperchat", "messages": [{"role": "user", "content": BEES}]})
    api.post("/api/v1/ask", json={"question": "auther:nonsense"})
    api.get("/api/v1/papers/none")
    samples = counted(api.base_url, 5)
    asked = {"method": "POST", "route": "/api/v1/ask"}
    assert number(samples, "paperchat_http_requests_total", **asked, status="200") == 2
    assert number(samples, "paperchat_http_requests_total", **asked, status="422") == 1
    paper = {"method": "GET", "route": "/api/v1/papers/{paper_id}", "status": "404"}
    assert number(samples, "paperchat_http_requests_total", **paper) == 1
    assert number(samples, "paperchat_http_request_seconds_count", route="/api/v1/ask") == 3
    outcomes = ("answer", "tentative", "abstain", "failed", "stopped")
    questions = {outcome: number(samples, "paperchat_questions_total", outcome=outcome) for outcome in outcomes}
    assert sum(questions.values()) == 4
    assert (questions["failed"], questions["stopped"]) == (1, 0)
    assert questions["answer"] >= 2
    for stage in ("retrieve", "first_text", "total"):
        assert number(samples, "paperchat_question_stage_seconds_count", stage=stage) == 3
    assert number(samples, "paperchat_errors_total", kind="InputError") == 1
    assert number(samples, "paperchat_errors_total", kind="NotFoundError") == 1
    assert number(samples, "paperchat_library_papers") == 3
    assert number(samples, "paperchat_library_pending_papers") == 0
    assert number(samples, "paperchat_library_readable") == 1
    assert number(samples, "paperchat_index_generation") > 0
    assert 0 <= number(samples, "paperchat_last_ingest_age_seconds") < 3600
    assert number(samples, "paperchat_model_loads_total", result="ok") == 1
    assert number(samples, "process_resident_memory_bytes") > 1e6
    assert number(samples, "process_cpu_seconds_total") > 0


def test_no_label_has_what_a_user_sent_and_their_number_does_not_grow(api: httpx.Client) -> None:
    def send(word: str) -> None:
        api.post("/api/v1/ask", json={"question": f"{word} {BEES}", "save": True})
        api.get(f"/api/v1/papers/{word}", params={"filter": word})
        api.get(f"/{word}/{word}", headers={"x-request-id": word, "user-agent": word})
        api.get(f"/v1/models/paperchat/{word}")
        api.request("PROPFIND", "/api/v1/papers")

    send("qwertz0")
    before = counted(api.base_url, 5)
    for count in range(1, 6):
        send(f"qwertz{count}")
    after = counted(api.base_url, 30)
    own = {key for key in after if ("route", "/metrics") in key[1]}
    assert before.keys() - own == after.keys() - own
    assert "qwertz" not in httpx.get(f"{api.base_url}/metrics").text.lower()


def test_metrics_need_credentials_where_the_api_does_and_the_right_to_the_library(
    serve_api: Serve, assistant: Assistant, settings: Settings
) -> None:
    tokens = open_tokens(settings)
    scraper, stranger = tokens.add("scraper", Role.READ), tokens.add("stranger", Role.WRITE, ["ice"])
    address = serve_api(assistant, host=EVERYWHERE).address.replace(EVERYWHERE, "127.0.0.1")

    def status(secret: str) -> int:
        return httpx.get(f"{address}/metrics", headers={"authorization": f"Bearer {secret}"}).status_code

    assert httpx.get(f"{address}/metrics").status_code == 401
    assert (status(scraper), status(stranger), status("x")) == (200, 403, 401)


def test_a_queue_tells_what_runs_what_waits_and_what_was_refused() -> None:
    metrics = ServerMetrics()

    async def work() -> list[Samples]:
        queue, gate = WorkQueue(running=1, waiting=1), asyncio.Event()
        metrics.watch_queue(queue)
        metrics.watch_lifecycle(queue.lifecycle)
        loop = asyncio.get_running_loop()

        def wait() -> None:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(60)

        running = [asyncio.ensure_future(queue.run(wait)) for _ in range(2)]
        while queue.waiting != 1:
            await asyncio.sleep(0.01)
        with pytest.raises(QueueFullError):
            await queue.run(wait)
        busy = samples_of(metrics.text().decode())
        gate.set()
        await asyncio.gather(*running)
        while queue.running:
            await asyncio.sleep(0.01)
        return [busy, samples_of(metrics.text().decode())]

    busy, idle = asyncio.run(work())
    names = ("paperchat_queue_running", "paperchat_queue_waiting", "paperchat_work_running")
    assert [number(busy, name) for name in names] == [1, 1, 2]
    assert [number(idle, name) for name in names] == [0, 0, 0]
    assert number(busy, "paperchat_queue_refusals_total") == number(idle, "paperchat_queue_refusals_total") == 1
    assert number(idle, "paperchat_queue_wait_seconds_count") == 2


def test_models_that_could_not_be_loaded_and_a_catalog_that_cannot_be_read_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing: Future[Assistant] = Future()
    running = server.start(settings.model_copy(update={"port": 0}), failing)
    try:
        failing.set_exception(ModelError("no weights"))
        assert number(scrape(running.address), "paperchat_model_loads_total", result="failed") == 1
        ledger = type(running.api.backend.catalog.ledger)
        monkeypatch.setattr(ledger, "pending_count", lambda _: (_ for _ in ()).throw(ModelError("damaged")))
        samples = scrape(running.address)
        assert number(samples, "paperchat_library_readable") == 0
        assert not [name for name, _ in samples if name == "paperchat_library_papers"]
    finally:
        running.close()
