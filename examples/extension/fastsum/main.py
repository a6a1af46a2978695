import sys

from fastsum import _sum


def main():
    print(_sum.add(int(sys.argv[1]), int(sys.argv[2])))
