# syntax=poetry-buildkit
FROM python:3.11-slim
LABEL maintainer="The poetry-buildkit authors" org.opencontainers.image.title="shop"
RUN pip install poetry==1.8.5
ENV POETRY_VIRTUALENVS_CREATE=false TZ=Europe/Berlin
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root --only main
COPY . .
EXPOSE 8000 9000/udp
VOLUME ["/data"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=3s --retries=2 CMD python -c "import shop" || exit 1
ENTRYPOINT ["python", "-m", "shop.main"]
CMD ["--day", "2025-01-31"]
