# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ARG ENV=dev
RUN poetry config virtualenvs.create false
WORKDIR /app
COPY poetry.lock pyproject.toml /app/
RUN if [ "$ENV" = dev ]; then poetry install --no-root; else poetry install --no-root --only main; fi
COPY . /app
CMD ["python", "-m", "shop.main"]
