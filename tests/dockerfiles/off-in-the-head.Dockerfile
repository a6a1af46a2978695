# syntax=poetry-buildkit
# poetry-buildkit: off
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /app
COPY . .
RUN poetry install --only main
CMD ["shop"]
