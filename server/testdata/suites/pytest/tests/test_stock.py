from shop.stock import left


def test_left():
    assert left(3, 5) == 0
