# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_NO_INTERACTION=1 POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
ARG GROUP
RUN set -eux; \
    flags="--no-root --only ${GROUP:-main}"; \
    # What is locked, and no more.
    poetry install $flags; \
    poetry --version
COPY shop ./shop
CMD [".venv/bin/python", "-m", "shop.main"]
