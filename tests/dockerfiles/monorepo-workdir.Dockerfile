# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_IN_PROJECT=true
WORKDIR /repo
COPY . .
WORKDIR services/api
RUN poetry install --without dev
CMD ["poetry", "run", "api"]
