"""What an outbox is made of: a queue a bond and port, its receipts, where it is kept, and the port that carries it."""
