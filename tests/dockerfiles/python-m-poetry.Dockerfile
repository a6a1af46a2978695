# syntax=poetry-buildkit
FROM python:3.11-slim
RUN python -m pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN python -m poetry config virtualenvs.create false
RUN python -m poetry install --no-root --no-cache --only main
COPY shop shop
CMD ["python", "-m", "shop.main"]
