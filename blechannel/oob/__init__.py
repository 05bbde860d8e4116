"""What carries a ticket from a watch to a phone beside the radio: NFC tags and QR codes."""
