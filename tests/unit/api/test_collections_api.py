"""Collections, tags and notes over HTTP: what is written is read back, and changes need the right to write."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import BEES
from tests.contract.json_keys import PAPER
from tests.unit.api.test_json_api import problem

COLLECTION = {"id", "name", "created", "papers"}


def ids(api: httpx.Client, words: str = "") -> list[str]:
    listed = api.get("/api/v1/papers", params={"filter": words}).json()
    return [paper["id"] for paper in listed["papers"]]


def create(api: httpx.Client, name: str, **more: Any) -> Any:
    reply = api.post("/api/v1/collections", json={"name": name, **more})
    assert reply.status_code == 201, reply.text
    return reply.json()


def test_a_collection_is_created_filled_renamed_and_deleted(api: httpx.Client) -> None:
    created = create(api, "Réseaux / <b>", filter="glaciers")
    assert set(created) == COLLECTION
    assert created["papers"] == 1
    at = f"/api/v1/collections/{created['id']}"
    assert api.post(f"{at}/papers", json={"ids": ids(api, "bees")}).json()["papers"] == 2
    assert {paper["id"] for paper in api.get(f"{at}/papers").json()["papers"]} == {
        *ids(api, "bees"),
        *ids(api, "glaciers"),
    }
    assert api.get(f"{at}/papers", params={"filter": "bees"}).json()["total"] == 1
    assert api.delete(f"{at}/papers", params={"id": ids(api, "bees")}).json()["papers"] == 1
    assert api.patch(at, json={"name": "Ice"}).json()["name"] == "Ice"
    assert api.get(f"/api/v1/collections/{quote('ICE')}").json() == api.get(at).json()
    assert api.delete(at).status_code == 204
    assert api.get("/api/v1/collections").json() == {"collections": []}


def test_a_collection_is_the_scope_of_a_search(api: httpx.Client) -> None:
    create(api, "Not bees", ids=[*ids(api, "glaciers"), *ids(api, "sourdough")])
    for body in ({"query": f'{BEES} collection:"not bees"'}, {"query": BEES, "scope": {"collections": ["not bees"]}}):
        written = api.post("/api/v1/search", json=body).json()
        assert {hit["paper"]["id"] for hit in written["hits"]} == {*ids(api, "glaciers"), *ids(api, "sourdough")}
    assert written["scope"]["collections"] == ["Not bees"]
    assert ids(api, 'collection:"not bees" ice') == ids(api, "glaciers")
    refused = api.get("/api/v1/papers", params={"filter": 'collection:"not beez"'})
    assert (refused.status_code, "'Not bees' was meant" in problem(refused)) == (422, True)


def test_tags_and_the_note_of_a_paper_are_set_and_shown(api: httpx.Client) -> None:
    [paper] = ids(api, "bees")
    assert api.put(f"/api/v1/papers/{paper[:8]}/tags", json={"tags": ["b", "A", "a"]}).json()["tags"] == ["A", "b"]
    assert api.put(f"/api/v1/papers/{paper}/note", json={"text": "<script>\x00"}).json()["note"] == "<script>"
    shown = api.get(f"/api/v1/papers/{paper}").json()
    assert set(shown) == PAPER | {"tags", "keywords", "note", "collections", "citation_key"}
    assert ids(api, "tag:a note:script") == [paper]
    assert api.put(f"/api/v1/papers/{paper}/note", json={"text": ""}).json()["note"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "collections", {"name": " "}, 422),
        ("POST", "collections", {"name": "few"}, 422),
        ("POST", "collections", {"name": "x", "ids": ["zzzz"]}, 404),
        ("POST", "collections", {"title": "x"}, 422),
        ("PATCH", "collections/none", {"name": "x"}, 404),
        ("POST", "collections/Few/papers", {}, 422),
        ("DELETE", "collections/Few/papers", None, 422),
        ("DELETE", "collections/none", None, 404),
        ("GET", "collections/fwe", None, 404),
        ("PUT", "papers/zzzz/tags", {"tags": ["x"]}, 404),
        ("PUT", "papers/zzzz/note", {"text": "x"}, 404),
    ],
)
def test_what_cannot_be_done_is_a_problem_and_changes_nothing(
    api: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    before = create(api, "Few")
    refused = api.request(method, f"/api/v1/{path}", json=body)
    assert refused.status_code == status
    assert problem(refused)
    assert api.get("/api/v1/collections").json() == {"collections": [before]}
