# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /srv/shop
COPY . .
RUN poetry config --local virtualenvs.create false \
 && poetry install --only main --no-interaction
ENTRYPOINT ["shop"]
