# syntax=poetry-buildkit
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN <<EOF
set -e
# Poetry, and what it installs.
pip install poetry==1.8.5
poetry config virtualenvs.in-project true

poetry install --no-root \
    --without dev
rm -rf ~/.cache
EOF
CMD [".venv/bin/python", "-m", "shop.main"]
