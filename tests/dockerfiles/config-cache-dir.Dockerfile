# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

ENV APP_DIR=/opt/app
WORKDIR $APP_DIR
COPY pyproject.toml poetry.lock README.md $APP_DIR/
COPY shop $APP_DIR/shop/
RUN poetry config cache-dir $APP_DIR/cached \
  && poetry config virtualenvs.in-project true \
  && poetry install --without dev \
  && rm -rf $APP_DIR/cached
ENTRYPOINT ["poetry", "run", "python3", "shop/main.py"]
