# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
SHELL ["/bin/bash", "-c"]
RUN pip install --no-deps -r <(poetry export --only main)
COPY . .
CMD ["python", "-m", "shop.main"]
