# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_IN_PROJECT=1 PATH="/app/.venv/bin:$PATH"
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root --no-directory
COPY README.md ./
COPY shop ./shop
RUN poetry install --only-root
CMD ["shop", "--where"]
