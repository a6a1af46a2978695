# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install --user poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN /root/.local/bin/poetry config virtualenvs.in-project true && /root/.local/bin/poetry install --no-root --only main
COPY shop shop
CMD ["/app/.venv/bin/python", "-m", "shop.main", "--where"]
