# paperchat as a container; compose.yaml runs it. The library and who may log in are in the volume /data.
FROM python:3.12-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.9.9 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /build
# What the versions need comes before the sources, which change more often.
COPY constraints.txt ./
# PyTorch without CUDA, which no setting of a container without a GPU can use.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN uv venv /opt/paperchat \
    && uv pip install --no-cache --python /opt/paperchat/bin/python --index-url "$TORCH_INDEX" \
       "$(grep '^torch==' constraints.txt)"
COPY pyproject.toml README.md LICENSE ./
COPY assistant assistant
COPY ingest ingest
COPY ui ui
COPY eval eval
COPY seeds seeds
RUN uv pip install --no-cache --python /opt/paperchat/bin/python --constraint constraints.txt '.[fast,ollama,openai,postgres]'

FROM python:3.12-slim
RUN useradd --create-home --uid 1000 paperchat && install --directory --owner paperchat /data
COPY --from=build /opt/paperchat /opt/paperchat
# Other machines reach a container, so that the page requires a login.
ENV PATH=/opt/paperchat/bin:$PATH \
    PAPERCHAT_HOME=/data \
    PAPERCHAT_HOST=0.0.0.0 \
    PAPERCHAT_AUTH=/data/users.txt \
    PYTHONUNBUFFERED=1
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 7860
# Whether the process answers: an orchestrator restarts a container that does not. Whether it can answer questions is
# another address, /readyz, which a lost store makes fail and no restart mends; compose.yaml waits for that one.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=8)"]
CMD ["paperchat", "serve"]
