# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /repo
COPY services/api services/api
RUN poetry install -C services/api --only main
CMD ["api"]
