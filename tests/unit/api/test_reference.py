"""The models, the interface's own description and the documentation say the same."""

from __future__ import annotations

import httpx

from tests.conftest import ROOT
from ui.api.models import AnswerJson, AskJson, SearchJson, VerificationJson
from ui.api.reference import reference
from ui.api.requests import AskBody


def test_the_documentation_is_written_from_the_models() -> None:
    """Write it again by: python -m ui.api.reference > docs/json.md."""
    assert (ROOT / "docs" / "json.md").read_text(encoding="utf-8") == reference()


def test_the_interface_describes_replies_and_requests_by_the_models(read_api: httpx.Client) -> None:
    schemas = read_api.get("/api/v1/openapi.json").json()["components"]["schemas"]
    for model in (AskJson, SearchJson, VerificationJson, AskBody):
        expected = model.model_json_schema(by_alias=True)["properties"]
        described = schemas[model.__name__]["properties"]
        assert {name: field.get("description") for name, field in described.items()} == {
            name: field.get("description") for name, field in expected.items()
        }
    assert set(AnswerJson.model_fields) < set(schemas["AskJson"]["properties"])
