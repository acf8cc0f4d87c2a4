"""Floor 0: the words of Interpose as frozen values.

Nothing here imports anything but the standard library; everything else in the house speaks in these types.
"""
