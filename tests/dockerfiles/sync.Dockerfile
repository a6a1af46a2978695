# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --sync --no-root
COPY . .
RUN poetry install --sync --without dev
CMD [".venv/bin/shop"]
