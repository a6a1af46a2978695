# syntax=poetry-buildkit
FROM python:3.11-slim
RUN groupadd --gid 1000 app && useradd --uid 1000 --gid app --create-home --shell /bin/bash app
USER app
ENV PATH=/home/app/.local/bin:$PATH \
    POETRY_VIRTUALENVS_IN_PROJECT=true
RUN pip install --user poetry==1.8.5
WORKDIR /home/app/src
COPY --chown=1000:1000 pyproject.toml poetry.lock ./
RUN poetry install --no-root --no-interaction
COPY --chown=1000:1000 . .
CMD ["/home/app/src/.venv/bin/python", "-m", "shop.main", "--where"]
