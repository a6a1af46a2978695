# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry export --only main -o requirements.txt && pip install -qUr requirements.txt
COPY . .
CMD ["python", "-m", "shop.main"]
