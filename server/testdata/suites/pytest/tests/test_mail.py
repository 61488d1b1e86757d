from shop.mail import greeting


def test_greeting():
    assert greeting("Ada") == "Dear Ada"
