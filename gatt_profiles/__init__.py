"""Standard GATT profiles: each declared once, and usable through the channel so that a stranger sees nothing."""
