# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

RUN poetry config virtualenvs.create false
RUN poetry config installer.max-workers 10
RUN poetry config installer.parallel false && poetry config --list > /dev/null
WORKDIR /app
COPY pyproject.toml .
COPY poetry.lock .
RUN poetry install --only main --no-root
ENV PYTHONPATH=/app
COPY . /app/
CMD ["python", "shop/main.py"]
