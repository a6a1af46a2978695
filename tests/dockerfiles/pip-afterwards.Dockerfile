# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install --upgrade pip setuptools wheel && \
    pip install "poetry==1.8.5"
WORKDIR /app
COPY pyproject.toml poetry.lock ./
COPY shop ./shop
RUN poetry config virtualenvs.create false \
    && poetry install --no-root --only main --no-interaction --no-ansi
RUN pip install --no-cache-dir gunicorn==22.0.0
CMD ["gunicorn", "--version"]
