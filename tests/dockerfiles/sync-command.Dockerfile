# syntax=poetry-buildkit
FROM python:3.11-slim AS builder
RUN pip install -U pip && pip install --no-cache-dir "poetry>=2.0,<3.0"
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY pyproject.toml poetry.lock README.md ./
RUN poetry sync --no-root --only main
COPY shop shop
RUN poetry sync --only main --no-interaction

FROM python:3.11-slim
COPY --from=builder /app /app
WORKDIR /app
CMD [".venv/bin/shop", "--where"]
