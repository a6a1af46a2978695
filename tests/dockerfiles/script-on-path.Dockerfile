# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /app
COPY . .
COPY --chmod=755 start /usr/local/bin/start
RUN poetry install --only main
ENTRYPOINT ["start"]
