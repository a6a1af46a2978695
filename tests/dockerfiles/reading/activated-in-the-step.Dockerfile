# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN python -m venv /opt/env && . /opt/env/bin/activate && poetry install --no-root --only main
COPY shop ./shop
CMD ["/opt/env/bin/python", "-m", "shop.main"]
