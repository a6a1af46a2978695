# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry config virtualenvs.in-project true \
 && poetry install --no-root --without dev \
 && yes | poetry cache clear --all . -n \
 && rm -rf ~/.cache/pypoetry/cache ~/.cache/pypoetry/artifacts
COPY . .
CMD [".venv/bin/python", "-m", "shop.main"]
