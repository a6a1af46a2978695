# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY . .
RUN <<EOF
poetry config virtualenvs.create false
poetry install --no-interaction --only main
EOF
CMD ["shop"]
