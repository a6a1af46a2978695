# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

COPY services/api/pyproject.toml services/api/poetry.lock /srv/api/
RUN poetry config virtualenvs.in-project true && poetry --directory /srv/api install --no-root
COPY services/api /srv/api
WORKDIR /srv/api
CMD [".venv/bin/python", "-m", "api.main"]
