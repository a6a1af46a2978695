from tabulate import tabulate


def greeting(name):
    return tabulate([["hello", name]], tablefmt="plain")
