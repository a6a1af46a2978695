# syntax=poetry-buildkit
FROM python:3.11 AS builder
ENV POETRY_HOME=/opt/poetry \
    POETRY_VIRTUALENVS_IN_PROJECT=true
RUN curl -sSL https://install.python-poetry.org | POETRY_VERSION=1.8.5 python3 -
ENV PATH="$POETRY_HOME/bin:$PATH"
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --only main --no-root

FROM python:3.11-slim
WORKDIR /app
COPY --from=builder /app/.venv /app/.venv
COPY shop ./shop
ENV PATH=/app/.venv/bin:$PATH
ENTRYPOINT ["python", "-m", "shop.main"]
