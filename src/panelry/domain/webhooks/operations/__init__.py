"""All that changes endpoints and deliveries."""
