# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install pipx && pipx install poetry==1.8.5
ENV PATH="/root/.local/bin:${PATH}"
WORKDIR /app
COPY pyproject.toml poetry.lock README.md ./
COPY shop shop
ENV POETRY_VIRTUALENVS_IN_PROJECT=true
RUN poetry install --without dev
ENTRYPOINT ["poetry", "run"]
CMD ["shop"]
