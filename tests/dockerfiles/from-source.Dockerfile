# syntax=poetry-buildkit
FROM python:3.11-slim AS builder
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=true
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-interaction --no-root

FROM python:3.11-slim
WORKDIR /app
COPY --from=builder /app/.venv .venv
COPY versions.py ./
CMD [".venv/bin/python", "versions.py"]
