# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_NO_INTERACTION=1
WORKDIR /app
COPY . .
RUN poetry install --with docs
RUN rm -rf .venv
RUN poetry install --only main
CMD [".venv/bin/shop"]
