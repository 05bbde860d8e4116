"""Messages that survive broken links: what two sides say, keep and owe each other. Pure: no I/O, clock or chance."""
