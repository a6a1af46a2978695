import brush
import paint


def main():
    print(brush.WIDTH, paint.COLOUR)
