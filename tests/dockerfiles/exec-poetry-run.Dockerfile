# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5 && poetry config virtualenvs.create false
WORKDIR /app
COPY . .
RUN poetry install --only main
CMD ["sh", "-c", "exec poetry run shop --where"]
