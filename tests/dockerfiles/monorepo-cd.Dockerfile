# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /repo
COPY . .
RUN cd services/api && poetry install --no-interaction
RUN cd services/api && python -m api.main > /answer
CMD ["cat", "/answer"]
