# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ARG ENV=production
ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /app
COPY poetry.lock pyproject.toml /app/
RUN poetry install $(test "$ENV" = production && echo "--no-dev") --no-root --no-interaction --no-ansi
COPY . /app
CMD ["python", "-m", "shop.main"]
