# syntax=poetry-buildkit
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /app
COPY . .
RUN poetry install --without dev
ENTRYPOINT ["/usr/bin/tini", "--", "shop"]
