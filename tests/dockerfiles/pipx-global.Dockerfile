# syntax=poetry-buildkit
FROM python:3.11-slim AS builder
ENV PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin
RUN pip install --no-cache-dir pipx
RUN pipx install "poetry==1.8.5"
WORKDIR /src
COPY . .
RUN poetry config virtualenvs.in-project true
RUN poetry install --only main --no-interaction

FROM python:3.11-slim
COPY --from=builder /src /src
WORKDIR /src
ENV PATH="/src/.venv/bin:$PATH"
CMD ["shop", "--where"]
