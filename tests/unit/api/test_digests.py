"""Digests over HTTP."""

from __future__ import annotations

import httpx


def test_the_interface_serves_digests_and_their_feed(read_api: httpx.Client) -> None:
    assert read_api.get("/api/v1/digests").json() == {"unread": 0, "digests": []}
    feed = read_api.get("/api/v1/digests.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    assert feed.text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert read_api.get("/api/v1/digests?limit=0").status_code == 422
