"""Writes the price list into a file: a step of a build that needs what is installed."""

from pathlib import Path

from shop.main import price_list

if __name__ == "__main__":
    Path("prices.txt").write_text(price_list())
