# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --compile --no-root --only main
COPY . .
CMD [".venv/bin/python", "-m", "shop.main"]
