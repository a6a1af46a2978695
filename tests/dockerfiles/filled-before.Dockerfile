# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5
RUN python -m venv /opt/venv && /opt/venv/bin/pip install click==8.1.3
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH POETRY_NO_INTERACTION=1
WORKDIR /app
COPY . .
RUN poetry install --only main
RUN export LINES_OF_README=$(wc -l < README.md) && poetry install --only main && echo $LINES_OF_README > lines
CMD ["shop"]
