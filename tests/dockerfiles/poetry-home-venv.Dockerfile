# syntax=poetry-buildkit
FROM python:3.11-slim
ENV POETRY_HOME=/opt/poetry
RUN python3 -m venv $POETRY_HOME && \
    $POETRY_HOME/bin/pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN $POETRY_HOME/bin/poetry config virtualenvs.create false && \
    $POETRY_HOME/bin/poetry install --no-root --no-interaction
COPY . .
CMD ["python", "-m", "shop.main", "--where"]
