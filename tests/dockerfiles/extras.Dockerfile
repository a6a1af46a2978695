# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

RUN poetry config virtualenvs.create false
WORKDIR /app
COPY . .
RUN poetry install --extras "pretty" --with docs --without dev
CMD ["shop"]
