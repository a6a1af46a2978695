# syntax=poetry-buildkit
FROM python:3.11-slim AS builder
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
RUN --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=poetry.lock,target=poetry.lock \
    poetry install --no-root --only main

FROM python:3.11-slim
COPY --link --from=builder /app/.venv /app/.venv
COPY --link shop /app/shop
WORKDIR /app
CMD [".venv/bin/python", "-m", "shop.main", "--where"]
