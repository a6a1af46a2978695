# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
COPY <<EOF poetry.toml
[virtualenvs]
in-project = true
EOF
RUN poetry install --no-root --only main
COPY shop ./shop
CMD [".venv/bin/python", "-m", "shop.main"]
