def left(have, sold):
    return max(have - sold, 0)
