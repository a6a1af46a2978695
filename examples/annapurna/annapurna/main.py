from fastapi import FastAPI, HTTPException

from annapurna.server import serve

PEAKS = {"annapurna": 8091, "dhaulagiri": 8167, "manaslu": 8163}

app = FastAPI(title="annapurna")


@app.get("/")
def index() -> dict[str, list[str]]:
    return {"peaks": sorted(PEAKS)}


@app.get("/peaks/{name}")
def peak(name: str) -> dict[str, str | int]:
    if name not in PEAKS:
        raise HTTPException(status_code=404, detail=f"no peak named {name}")
    return {"name": name, "metres": PEAKS[name]}


if __name__ == "__main__":
    serve(app, port=8000)
