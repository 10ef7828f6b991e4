"""Training of the baggage X-ray network."""
