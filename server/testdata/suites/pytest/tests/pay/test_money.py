from shop.money import euro


def test_euro():
    assert euro(250) == 2
