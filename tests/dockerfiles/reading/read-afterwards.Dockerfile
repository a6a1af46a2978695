# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_NO_INTERACTION=1 POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root --only main && ls -A > /listed
COPY shop ./shop
CMD [".venv/bin/python", "-m", "shop.main"]
