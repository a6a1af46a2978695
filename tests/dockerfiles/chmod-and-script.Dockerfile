# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root --only main; echo installed > /installed
COPY --chmod=755 <<'EOF' /start.sh
#!/bin/sh
set -e
cat /installed
exec python -m shop.main "$@"
EOF
COPY shop shop
ENTRYPOINT ["/start.sh"]
