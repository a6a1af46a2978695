# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY . .
RUN poetry install --only main
RUN poetry run sh setup.sh
CMD [".venv/bin/python", "-m", "shop.main"]
