# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY pyproject.toml poetry.lock ./
ARG INSTALL_ARGS
RUN poetry config virtualenvs.in-project true && poetry install ${INSTALL_ARGS:-} --no-root
COPY . .
CMD ["/app/.venv/bin/python", "-m", "shop.main"]
