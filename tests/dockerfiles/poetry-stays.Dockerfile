# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY . .
RUN poetry install
CMD ["sh", "-c", "poetry --version && poetry env info --path && poetry run shop"]
