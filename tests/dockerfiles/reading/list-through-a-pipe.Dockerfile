# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry export --only main --without-hashes | pip install -r /dev/stdin
COPY . .
CMD ["python", "-m", "shop.main"]
