from shop.tax import tax_of


def test_tax_of():
    assert tax_of(100) == 21
