# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN [ -e /.dockerenv ] && poetry config virtualenvs.create false; poetry install --no-root --only main
COPY shop ./shop
CMD ["python", "-c", "print(1)"]
