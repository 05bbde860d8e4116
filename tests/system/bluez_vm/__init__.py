"""A virtual machine that runs Linux' own Bluetooth, on an air that the test shares."""
