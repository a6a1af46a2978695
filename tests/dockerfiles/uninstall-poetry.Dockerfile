# syntax=poetry-buildkit
FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN pip install poetry==1.8.5 && \
    poetry config virtualenvs.create false && \
    poetry install --without dev --no-root --no-interaction --no-ansi && \
    pip uninstall -y poetry
COPY . .
CMD ["python", "-m", "shop.main"]
