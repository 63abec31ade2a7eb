"""The models, the interface's own description and the documentation say the same."""

from __future__ import annotations

import re

import httpx

from tests.conftest import ROOT
from ui.api.models import AnswerJson, AskJson, SearchJson, VerificationJson
from ui.api.reference import reference
from ui.api.reference_page import reference_page
from ui.api.requests import AskBody


def test_the_documentation_is_written_from_the_models() -> None:
    """Write it again by: python -m ui.api.reference > docs/json.md."""
    assert (ROOT / "docs" / "json.md").read_text(encoding="utf-8") == reference()


def test_a_browser_is_shown_every_request_and_model_without_a_script_and_without_the_network(
    read_api: httpx.Client,
) -> None:
    described = read_api.get("/api/v1/openapi.json").json()
    page = read_api.get("/api/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in described["paths"]:
        assert f" {path}</code>" in page.text
    for name in described["components"]["schemas"]:
        assert f'id="{name}"' in page.text
    assert {link for link in re.findall(r'href="#([^"]*)"', page.text)} <= set(described["components"]["schemas"])
    assert not re.search(r"<script|<link|src=|https?://|url\(", page.text)


def test_what_a_description_says_is_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    schema = {"description": hostile, "properties": {hostile: {"type": hostile, "description": hostile}}}
    operation = {"description": hostile, "responses": {"200": {"description": hostile}}}
    page = reference_page(
        {
            "info": {"summary": hostile},
            "paths": {hostile: {"get": operation}},
            "components": {"schemas": {hostile: schema}},
        }
    )
    assert "<script" not in page


def test_the_interface_describes_replies_and_requests_by_the_models(read_api: httpx.Client) -> None:
    schemas = read_api.get("/api/v1/openapi.json").json()["components"]["schemas"]
    for model in (AskJson, SearchJson, VerificationJson, AskBody):
        expected = model.model_json_schema(by_alias=True)["properties"]
        described = schemas[model.__name__]["properties"]
        assert {name: field.get("description") for name, field in described.items()} == {
            name: field.get("description") for name, field in expected.items()
        }
    assert set(AnswerJson.model_fields) < set(schemas["AskJson"]["properties"])
