# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install -U pip setuptools poetry==1.8.5 gunicorn==22.0.0
RUN poetry config virtualenvs.create false
WORKDIR /app
COPY ./pyproject.toml ./poetry.lock* /app/
RUN poetry install --no-root --only main
COPY ./shop /app/shop
CMD ["gunicorn", "--version"]
