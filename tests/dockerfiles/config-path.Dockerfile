# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_PATH=/srv/venvs
WORKDIR /app
COPY . .
RUN poetry install --only main
CMD NOTE="a run b" poetry run shop --where
