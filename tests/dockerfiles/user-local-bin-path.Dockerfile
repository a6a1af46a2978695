# syntax=poetry-buildkit
FROM python:3.11
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN pip install --user poetry==1.8.5
ENV PATH="/root/.local/bin:$PATH"
WORKDIR /app
COPY . .
RUN poetry config virtualenvs.in-project true && poetry install
CMD ["/root/.local/bin/poetry", "run", "shop", "--where"]
