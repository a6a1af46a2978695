import psycopg2


def main():
    try:
        psycopg2.connect("host=127.0.0.1 port=1 connect_timeout=1")
    except psycopg2.OperationalError:
        print("there is no database, but there is libpq", psycopg2.__libpq_version__ // 10000 >= 13)
