"""Prints what the service would answer: the article's program, without a server that goes on for ever."""

import json

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

PEAKS = {"annapurna": 8091, "dhaulagiri": 8167, "manaslu": 8163}

app = FastAPI(title="annapurna")


@app.get("/peaks/{name}")
def peak(name: str) -> dict[str, int]:
    return {name: PEAKS[name]}


if __name__ == "__main__":
    described = get_openapi(title=app.title, version=app.version, routes=app.routes)
    print(json.dumps({"paths": sorted(described["paths"]), "peaks": PEAKS}))
