# syntax=poetry-buildkit
FROM python:3.11-slim AS builder
RUN pip install poetry==1.8.5
RUN useradd --create-home app
USER app
WORKDIR /home/app/shop
COPY --chown=app:app pyproject.toml poetry.lock ./
RUN cd /home/app && python -m venv env && . /home/app/env/bin/activate && cd shop && \
    poetry export --all-extras --without-hashes -f requirements.txt -o /home/app/list.txt && \
    pip install -q -r ../list.txt
COPY --chown=app:app . .
CMD ["/home/app/env/bin/python", "-m", "shop.main"]
