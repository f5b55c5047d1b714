def add(parsers):
    pass
