import docopt
import tabulate

print(tabulate.tabulate([["docopt", docopt.__version__]]))
