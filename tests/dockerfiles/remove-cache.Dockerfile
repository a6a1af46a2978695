# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root --no-interaction --no-ansi && rm -rf ~/.cache/pypoetry
COPY . .
CMD ["python", "-m", "shop.main"]
