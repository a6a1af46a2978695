# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
WORKDIR /app
COPY . .
RUN poetry config virtualenvs.create false && \
    poetry config http-basic.other user password && \
    poetry install --only main
CMD ["shop", "--where"]
