# syntax=poetry-buildkit
FROM python:3.11-slim AS lists
RUN pip install --no-cache-dir poetry && pip install --no-cache-dir poetry-plugin-export
WORKDIR /lists
COPY . .
RUN poetry export --format=requirements.txt --with dev --without-hashes > all.txt
RUN poetry export --only main --output main.txt

FROM python:3.11-slim AS test
COPY --from=lists /lists/all.txt /tmp/
RUN python3 -m pip install --no-cache-dir --root-user-action=ignore -r /tmp/all.txt
CMD ["pytest", "--version"]

FROM python:3.11-slim
WORKDIR /srv
COPY --from=lists /lists/main.txt requirements.txt
RUN pip3 install --disable-pip-version-check --no-compile --no-deps -U -r requirements.txt
COPY . .
CMD ["python", "-m", "shop.main"]
