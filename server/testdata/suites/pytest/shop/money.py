def euro(cents):
    return cents // 100
