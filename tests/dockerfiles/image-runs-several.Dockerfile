# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY . .
RUN poetry install --only main
CMD poetry run python -c "import click; print(click.__name__)" && exec poetry run shop --where
