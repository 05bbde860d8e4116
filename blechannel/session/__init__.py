"""The conversation between two sides: pure state, no clock, no radio."""
