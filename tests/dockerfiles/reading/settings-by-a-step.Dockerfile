# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN printf '[virtualenvs]\ncreate = false\n' > poetry.toml
RUN poetry install --no-root --only main
COPY shop ./shop
CMD ["python", "-m", "shop.main"]
