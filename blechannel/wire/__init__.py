"""Everything on the air, declared once."""
