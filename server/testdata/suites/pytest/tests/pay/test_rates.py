import pytest

from shop.tax import tax_of


@pytest.mark.parametrize("amount,tax", [(0, 0), (10, 2), (1000, 210)])
def test_rates(amount, tax):
    assert tax_of(amount) == tax


class TestLuxury:
    def test_of_much(self):
        assert tax_of(100_000) == 21_000

    @pytest.mark.skip(reason="the law is not passed yet")
    def test_of_more(self):
        assert False
