# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY . .
RUN poetry install --only main
RUN poetry run pip list --format=freeze >/packages.txt
ENV PATH=/app/.venv/bin:$PATH
CMD ["python", "-m", "shop.main"]
