from __future__ import annotations

import httpx

CLAIM = "small glaciers shrink the fastest"


def test_the_interface_serves_both_sides_and_refuses_a_bad_claim(read_api: httpx.Client) -> None:
    served = read_api.post("/api/v1/sides", json={"claim": CLAIM}).json()
    assert set(served) == {"claim", "inversion", "supports", "contradicts", "depends", "note", "question"}
    assert read_api.post("/api/v1/sides", json={"claim": ""}).status_code in (400, 422)
    assert read_api.post("/api/v1/sides", json={"claim": CLAIM, "topic": "x"}).status_code == 422


def test_the_interface_serves_topics(read_api: httpx.Client) -> None:
    served = read_api.get("/api/v1/topics").json()
    assert served["papers"] == sum(topic["papers"] for topic in served["topics"])
