# syntax=poetry-buildkit
FROM python:3.11-slim
ENV VIRTUAL_ENV=/opt/venv
RUN python3 -m venv $VIRTUAL_ENV
ENV PATH="$VIRTUAL_ENV/bin:$PATH"
RUN pip install poetry==1.8.5
WORKDIR /app
COPY . .
RUN poetry install --no-interaction --without dev
CMD ["shop", "--where"]
