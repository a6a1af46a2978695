import unittest

from shop.main import price_list


class PriceList(unittest.TestCase):
    def test_names_what_there_is(self) -> None:
        self.assertIn("apple", price_list().lower())
