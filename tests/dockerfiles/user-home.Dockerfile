# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
RUN useradd --create-home app
USER app
WORKDIR /home/app/shop
COPY --chown=app:app . .
RUN poetry install --without dev
CMD ["poetry", "run", "shop", "--where"]
