# syntax=poetry-buildkit
FROM python:3.11 AS builder
ENV POETRY_VERSION=1.8.5 \
    POETRY_HOME=/opt/poetry \
    POETRY_VIRTUALENVS_IN_PROJECT=true
ENV PATH="$POETRY_HOME/bin:$PATH"
RUN python -m venv $POETRY_HOME \
 && $POETRY_HOME/bin/pip install -U pip setuptools \
 && $POETRY_HOME/bin/pip install "poetry==${POETRY_VERSION}"
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --only main --no-root

FROM python:3.11-slim
WORKDIR /app
COPY --from=builder /app/.venv /app/.venv
COPY shop ./shop
ENV PATH=/app/.venv/bin:$PATH
ENTRYPOINT ["python", "-m", "shop.main"]
