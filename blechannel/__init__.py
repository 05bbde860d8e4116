"""Pair a watch with a phone over Bluetooth LE and talk through a channel that nobody else can read."""

__version__ = "0.1.0"
