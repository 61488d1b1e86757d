def tax_of(amount):
    return amount * 21 // 100
