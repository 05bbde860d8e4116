"""What a host says to its controller: HCI, and the protocols of the host on top of it."""
