# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

RUN poetry config virtualenvs.in-project true
COPY services /srv/services
RUN poetry install --directory=/srv/services/api --no-interaction --no-ansi
CMD ["/srv/services/api/.venv/bin/api"]
