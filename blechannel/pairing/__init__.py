"""Pairing: how a watch and a phone that never met come to share a secret."""
