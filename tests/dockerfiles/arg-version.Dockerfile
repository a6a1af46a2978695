# syntax=poetry-buildkit
ARG PYTHON_VERSION=3.11
FROM python:${PYTHON_VERSION}-slim
ARG POETRY_VERSION=1.8.5
RUN pip install "poetry==$POETRY_VERSION"
ARG APP_HOME=/srv/app
WORKDIR ${APP_HOME}
COPY pyproject.toml poetry.lock ${APP_HOME}/
ARG GROUPS=main,dev
RUN POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-root --only "$GROUPS"
ENV PATH=${APP_HOME}/.venv/bin:$PATH
COPY . ${APP_HOME}
CMD python -m shop.main --where
