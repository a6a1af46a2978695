# syntax=poetry-buildkit
FROM python:3.11-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN pip install poetry==1.8.5
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry config virtualenvs.create false && poetry install --no-root | tee /dev/null
COPY . .
CMD ["python", "-m", "shop.main"]
