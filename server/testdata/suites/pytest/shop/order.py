def number(last):
    return last + 1
