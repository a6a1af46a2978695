# syntax=poetry-buildkit
FROM python:3.11-slim AS builder
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_NO_INTERACTION=1
WORKDIR /app
COPY pyproject.toml poetry.lock README.md ./
RUN poetry install --only main --no-root

FROM builder AS test
RUN poetry install --with dev --no-root
COPY . .
RUN poetry run python -m unittest
CMD ["poetry", "run", "pytest", "-q", "--version"]

FROM python:3.11-slim AS production
WORKDIR /app
COPY --from=builder /app/.venv .venv
COPY shop shop
CMD [".venv/bin/python", "-m", "shop.main", "--where"]
