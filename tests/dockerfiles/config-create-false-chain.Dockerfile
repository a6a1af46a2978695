# syntax=poetry-buildkit
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

WORKDIR /code
COPY poetry.lock pyproject.toml /code/

# Everything in one layer.
RUN pip install --no-cache-dir poetry==1.8.5 \
    && poetry config virtualenvs.create false \
    # What is needed to run, no more.
    && poetry install --without dev --no-root --no-interaction --no-ansi \
    # Nobody installs anything later.
    && rm -rf /root/.cache

COPY . /code
CMD python -m shop.main --where
