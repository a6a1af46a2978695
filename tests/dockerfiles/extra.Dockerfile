# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

RUN poetry config virtualenvs.in-project true
WORKDIR /app
COPY . .
RUN poetry install -E pretty --without dev
ENV PATH=/app/.venv/bin:$PATH
CMD ["shop"]
