"""From the watch to the cloud over MQTT, and back: each message exactly once and in order, whoever fails on the way."""
