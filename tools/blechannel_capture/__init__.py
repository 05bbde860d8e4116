"""Bluetooth LE captures: read, decoded, decrypted and judged."""
