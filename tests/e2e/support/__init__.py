"""What the end-to-end tests stand on: servers to talk to, ways to talk to them, and the record of what worked."""
