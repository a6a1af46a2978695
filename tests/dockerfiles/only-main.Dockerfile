# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

RUN poetry config virtualenvs.create false
WORKDIR /app
ADD pyproject.toml poetry.lock ./
RUN poetry install --only=main --no-root -q
ADD . .
CMD ["python", "-m", "shop.main"]
