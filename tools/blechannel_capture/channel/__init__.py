"""Our own channel in a capture: fragments, frames, the conversation, and with a key log what is inside.

Formats, labels and the conversation table are those that the runtime uses; nothing is declared again here.
"""
