# syntax=poetry-buildkit
FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml poetry.lock /app/
RUN pip install --user poetry==1.8.5 && \
    POETRY_VIRTUALENVS_CREATE=false ~/.local/bin/poetry install --no-root -n --without dev
COPY shop/ /app/shop/
CMD ["python", "-m", "shop.main", "--where"]
