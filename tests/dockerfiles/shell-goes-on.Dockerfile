# syntax=poetry-buildkit
FROM python:3.11
RUN pip install --progress-bar off poetry==1.8.5
ENV POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_NO_INTERACTION=1
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN mkdir /app; poetry install --only main --no-root; test -d /nothing && poetry cache clear --all .; touch one; touch other
COPY shop ./shop
RUN ["poetry", "run", "python", "-m", "shop.build"]
CMD ["poetry", "run", "python", "-m", "shop.main"]
