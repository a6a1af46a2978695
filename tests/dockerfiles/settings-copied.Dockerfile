# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
COPY config.toml /root/.config/pypoetry/config.toml
WORKDIR /app
COPY . .
RUN poetry install --only main
CMD ["shop", "--where"]
