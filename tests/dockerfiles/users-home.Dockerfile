# syntax=poetry-buildkit
FROM python:3.11-slim
RUN useradd --create-home app
USER app
WORKDIR /home/app
RUN pip install --user poetry==1.8.5
COPY --chown=app:app pyproject.toml poetry.lock ./
RUN (cd /tmp && touch one) && export PATH="$HOME/.local/bin:$PATH" && poetry config virtualenvs.path $HOME/envs && \
    poetry install --only main --no-root && test -d $HOME/envs
COPY --chown=app:app shop ./shop
CMD ["sh", "-c", "$HOME/envs/*/bin/python -m shop.main"]
