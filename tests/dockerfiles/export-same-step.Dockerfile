# syntax=poetry-buildkit
FROM python:3.11-slim
ENV POETRY_VERSION=1.8.5 PATH=/venv/bin:$PATH
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN pip install "poetry==$POETRY_VERSION" && \
    python -m venv /venv && \
    poetry export --only main -o requirements.txt && \
    /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt && \
    rm requirements.txt
COPY . .
CMD ["python", "-m", "shop.main", "--where"]
