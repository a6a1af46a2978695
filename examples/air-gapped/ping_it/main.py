"""Usage: ping-it NUMBER"""

import humanize
from docopt import docopt


def main():
    print("pong", humanize.intcomma(docopt(__doc__)["NUMBER"]))
