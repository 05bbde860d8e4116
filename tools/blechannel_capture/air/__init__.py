"""What a sniffer hears: the link layer, followed, decrypted where a key is known, up to L2CAP."""
