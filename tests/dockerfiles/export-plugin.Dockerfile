# syntax=poetry-buildkit
FROM python:3.11-slim AS requirements
RUN pip install poetry==1.8.5 "poetry-plugin-export==1.8.0"
WORKDIR /src
COPY pyproject.toml poetry.lock ./
RUN poetry export --with dev -E pretty > requirements.txt

FROM python:3.11-slim
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
RUN --mount=type=bind,from=requirements,source=/src/requirements.txt,target=/requirements.txt \
    pip install --no-cache-dir -r /requirements.txt
WORKDIR /app
COPY . .
CMD ["python", "-m", "shop.main", "--where"]
