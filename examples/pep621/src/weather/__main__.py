import argparse
from importlib.metadata import metadata

from dateutil.parser import isoparse
from httpx import URL
from rich import print

parser = argparse.ArgumentParser(prog="weather")
parser.add_argument("--city", default="Pokhara")
arguments = parser.parse_args()
address = URL("https://weather.example.org/v1", params={"city": arguments.city})
day = isoparse("2024-05-17").strftime("%A")
print(f"[cyan]{metadata('weather-report')['Name']}[/cyan]: {day} in {arguments.city} ({address})")
