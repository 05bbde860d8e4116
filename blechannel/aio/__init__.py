"""The asyncio skin: clock, tasks and back-pressure around the pure core."""
