# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY . .
# poetry-buildkit: off
RUN poetry install --without dev
CMD ["poetry", "run", "shop"]
