# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY . .
RUN poetry install --without dev
RUN poetry run python -m shop.build
RUN poetry run python -m unittest && \
    poetry run shop --where | tee where.txt
CMD ["poetry", "run", "shop"]
