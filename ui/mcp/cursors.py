"""Cursors of paged lists: opaque to the client, and bound to the list that they belong to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from assistant.errors import InputError

_MAX_LENGTH = 200


def encode(offset: int, listing: str) -> str:
    """Return the cursor of the page that begins at this offset of the list; `listing` identifies the list."""
    return base64.urlsafe_b64encode(json.dumps([offset, _digest(listing)]).encode()).decode()


def decode(cursor: str, listing: str) -> int:
    """Return the offset that the cursor of the list stands for, 0 for no cursor. Raises InputError."""
    if not cursor:
        return 0
    try:
        if len(cursor) > _MAX_LENGTH:
            raise ValueError("too long")
        offset, digest = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        if digest != _digest(listing) or type(offset) is not int or offset < 0:
            raise ValueError("it belongs to another list")
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        message = "is not a cursor of this list; begin again without a cursor, or repeat the other arguments unchanged"
        raise InputError("cursor", message) from error
    return offset


def _digest(listing: str) -> str:
    return hashlib.sha256(listing.encode("utf-8", "replace")).hexdigest()[:8]
