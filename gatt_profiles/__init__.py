"""GATT profiles: each declared once, and served through the channel, in the plain, or read from any other device."""
