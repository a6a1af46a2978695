# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /workspace
COPY pyproject.toml poetry.lock README.md ./
COPY shop/__init__.py shop/__init__.py
RUN poetry install --with docs --all-extras
VOLUME /workspace
EXPOSE 8000
CMD ["shop", "--help"]
