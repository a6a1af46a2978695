# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY pyproject.toml poetry.lock poetry.toml ./
RUN poetry install --no-root --without dev
COPY shop ./shop
ENV PATH="/app/.venv/bin:$PATH"
CMD ["python", "-m", "shop.main", "--where"]
