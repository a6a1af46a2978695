# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
RUN useradd -m -d /app worker && chown worker /app
COPY --chown=worker pyproject.toml poetry.lock README.md ./
COPY --chown=worker shop ./shop
RUN poetry install --only main && chown -R worker /app/.venv
USER worker
ENV PATH=/app/.venv/bin:$PATH
ENTRYPOINT ["shop"]
CMD ["--where"]
