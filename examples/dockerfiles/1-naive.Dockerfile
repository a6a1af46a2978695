# syntax=poetry-buildkit
FROM python:3.11

RUN pip install poetry==1.8.5

COPY . .

RUN poetry install

ENTRYPOINT ["poetry", "run", "python", "-m", "annapurna.main"]
