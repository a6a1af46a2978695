# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry poetry-plugin-export
RUN python3 -m venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry export -f requirements.txt --output requirements.txt --extras colour --with dev && \
    pip install --no-cache-dir --upgrade -r requirements.txt
COPY . .
CMD ["python", "hello.py"]
