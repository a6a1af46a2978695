# syntax=poetry-buildkit
FROM python:3.11-slim AS builder
RUN pip install poetry==1.8.5
RUN poetry config virtualenvs.in-project true
WORKDIR /app
COPY pyproject.toml poetry.lock README.md ./
COPY shop shop
RUN poetry install --without dev --no-ansi

FROM python:3.11-slim
WORKDIR /app
COPY --from=builder /app .
CMD ["./.venv/bin/shop", "--where"]
