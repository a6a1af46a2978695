# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_CREATE 0
ENV POETRY_NO_INTERACTION 1
WORKDIR /usr/src/app
COPY pyproject.toml poetry.lock README.md ./
COPY shop shop
RUN poetry install --only main
USER 1000:1000
CMD ["python", "shop/main.py", "--where"]
