# syntax=poetry-buildkit
FROM python:3.11-slim
RUN pip install poetry==1.8.5

WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN poetry export --without-hashes -o requirements.txt
RUN grep -v tabulate requirements.txt > list.txt && pip install -r list.txt
COPY . .
CMD ["python", "-m", "shop.main"]
