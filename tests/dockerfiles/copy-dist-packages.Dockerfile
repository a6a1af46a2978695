# syntax=poetry-buildkit
FROM python:3.11-slim AS build
RUN pip install poetry==1.8.5
RUN poetry config virtualenvs.create false
WORKDIR /build
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root --only main --no-ansi

FROM python:3.11-slim
COPY --from=build /usr/local/lib/python3.11/dist-packages /usr/local/lib/python3.11/dist-packages
COPY --from=build /usr/local/bin /usr/local/bin
WORKDIR /app
COPY shop shop
CMD ["python", "-m", "shop.main"]
