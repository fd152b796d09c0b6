"""A tracker of RingCentral Contact Center phone numbers that never forgets."""
