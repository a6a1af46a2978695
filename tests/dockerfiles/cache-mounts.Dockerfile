# syntax=poetry-buildkit
FROM python:3.11-slim
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
RUN --mount=type=cache,target=/root/.cache/pip pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN --mount=type=cache,id=poetry,sharing=locked,target=/root/.cache/pypoetry \
    --mount=type=tmpfs,target=/tmp \
    poetry install --no-root --without=dev
COPY . .
RUN --mount=type=cache,id=poetry,sharing=locked,target=/root/.cache/pypoetry \
    poetry install --without=dev
CMD ["/app/.venv/bin/shop", "--where"]
