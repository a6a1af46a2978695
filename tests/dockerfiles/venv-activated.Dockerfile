# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
RUN python -m venv /venv
COPY pyproject.toml poetry.lock ./
RUN . /venv/bin/activate && poetry install --no-root --no-interaction
COPY . .
RUN . /venv/bin/activate && poetry install --no-interaction
CMD [". /venv/bin/activate && exec shop --where"]
ENTRYPOINT ["sh", "-c"]
