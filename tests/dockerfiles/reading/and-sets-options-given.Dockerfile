# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_NO_INTERACTION=1 POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
ARG DEV
RUN [ "$DEV" = 1 ] && OPTIONS="--with docs"; poetry install --no-root $OPTIONS
COPY shop ./shop
CMD [".venv/bin/python", "-m", "shop.main"]
