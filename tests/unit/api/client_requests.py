"""What chat clients send to a server of OpenAI's form, by their source; not captured from a running client.

- Open WebUI: backend/open_webui/routers/openai.py (commit 004a45f) and tasks.py (074d488) of open-webui/open-webui. It
  asks for a stream with its usage, marks the last message for caching, and may name the user in headers. Tasks are
  completions in one reply, whose only message is a prompt (config.py, DEFAULT_..._PROMPT_TEMPLATE), shortened here.
- LibreChat: packages/api/src/endpoints/openai/llm.ts (commit 00b3bc3) of danny-avila/LibreChat hands the model, the
  sampling of its settings and the user to LangChain's OpenAI client, which writes the body: that it streams with usage,
  and the role of the first message, are what this client does by default. The title prompt is of @librechat/agents.
"""

from __future__ import annotations

from typing import Any

from tests.conftest import BEES

Body = dict[str, Any]
EARLIER = [
    {"role": "user", "content": BEES},
    {"role": "assistant", "content": "By a waggle dance [1]."},
]
OPEN_WEBUI_HEADERS = {
    "authorization": "Bearer sk-anything",
    "x-openwebui-user-name": "Ann%20Bee",
    "x-openwebui-user-id": "65f0",
    "x-openwebui-user-email": "ann@example.org",
    "x-openwebui-user-role": "admin",
    "x-openwebui-chat-id": "5b0c",
}
OPEN_WEBUI: Body = {
    "model": "paperchat",
    "stream": True,
    "stream_options": {"include_usage": True},
    "reasoning": {"effort": "medium"},
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        *EARLIER,
        {
            "role": "user",
            "content": [
                {"type": "text", "text": BEES, "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
                {"type": "file", "file": {"filename": "bees.pdf", "file_data": "data:application/pdf;base64,"}},
            ],
        },
    ],
}
LIBRECHAT_HEADERS = {"authorization": "Bearer sk-anything", "x-stainless-lang": "js", "x-stainless-retry-count": "0"}
LIBRECHAT: Body = {
    "model": "paperchat",
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "user": "65f0",
    "stream": True,
    "stream_options": {"include_usage": True},
    "messages": [
        {"role": "developer", "content": "Be brief."},
        *EARLIER,
        {"role": "user", "content": [{"type": "text", "text": BEES}]},
    ],
}
HISTORY = f"USER: {BEES}\nASSISTANT: By a waggle dance [1].\nIt has an angle.\nUSER: Which of them dance longer?"


def open_webui_task(task: str, output: str) -> Body:
    """Return a task of Open WebUI whose output has this form."""
    prompt = (
        f"### Task:\n{task}\n\n### Guidelines:\n- Use the chat's primary language.\n"
        f"- Prioritize accuracy over specificity.\n\n### Output:\nJSON format: {output}\n\n"
        f"### Chat History:\n<chat_history>\n{HISTORY}\n</chat_history>"
    )
    return {"model": "paperchat", "messages": [{"role": "user", "content": prompt}], "stream": False}


TITLE = open_webui_task(
    "Generate a concise, 3-5 word title with an emoji summarizing the chat history.",
    '{ "title": "your concise title here" }\n### Examples:\n- { "title": "📉 Stock Market Trends" }',
) | {"max_completion_tokens": 1000}
TAGS = open_webui_task("Generate 1-3 broad tags categorizing the main themes.", '{ "tags": ["tag1", "tag2", "tag3"] }')
FOLLOW_UPS = open_webui_task("Suggest 3-5 relevant follow-up questions.", '{ "follow_ups": ["Question 1?"] }')
QUERIES = open_webui_task(
    "Analyze the chat history to determine the necessity of search queries.", '{\n  "queries": ["query1", "query2"]\n}'
)
LIBRECHAT_TITLE: Body = LIBRECHAT | {
    "stream": False,
    "messages": [
        {
            "role": "user",
            "content": "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. "
            f"Only return the title itself.\n\nConversation:\nUser: {BEES}\nAI: By a waggle dance [1].",
        }
    ],
}
