# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_NO_INTERACTION=1 POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
ARG INSTALL_DEV=false
RUN if [ "$INSTALL_DEV" = true ]; then poetry install --no-root; else poetry install --no-root --only main; fi
COPY shop ./shop
CMD [".venv/bin/python", "-m", "shop.main"]
