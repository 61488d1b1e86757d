from shop.order import number


def test_number():
    assert number(41) == 42
