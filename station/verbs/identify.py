import argparse


def add(parsers):
    pass
