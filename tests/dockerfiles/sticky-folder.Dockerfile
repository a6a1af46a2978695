# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_PATH=/tmp/envs POETRY_NO_INTERACTION=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry env use python3.11 && poetry install --only main --no-root
COPY shop ./shop
CMD ["sh", "-c", "/tmp/envs/*/bin/python -m shop.main"]
