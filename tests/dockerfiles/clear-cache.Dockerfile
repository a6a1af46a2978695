# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry config virtualenvs.create false \
 && poetry install --no-root --only main --no-interaction \
 && poetry cache clear pypi --all --no-interaction
COPY . .
CMD ["python", "-m", "shop.main"]
