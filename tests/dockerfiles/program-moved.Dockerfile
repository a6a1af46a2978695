# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install --user poetry==1.8.5 && mv /root/.local/bin/poetry /usr/local/bin/poetry && \
    chown root:root /usr/local/bin/poetry && rm -f /usr/bin/poetry
WORKDIR /app
COPY . .
RUN set -e; \
    true | \
    true; \
    poetry config virtualenvs.create false || true; \
    poetry install --only main
CMD ["shop", "--where"]
